/**
 * `accounts.ts` in Lua, answer for answer. A purse is a hash with one field for each account (`a:…`) and for each hold
 * (`h:…`), and a sorted set of the holds by their end. `%.0f`, because Lua's own way to write a number has 14 digits.
 */
export const PURSE = `
local accounts, purse, ends = {}, nil, nil

local function number(value) return string.format('%.0f', value) end

-- As it is kept, or as it is opened, if it is. While it is as it was opened, it need not be kept.
local function accountOf(name, opening)
  local kept = not accounts[name] and (redis.call('HGET', purse, 'a:' .. name) or opening)
  if kept then
    local free, held, refilledAt = string.match(kept, '^(%d+):(%d+):(-?%d+)$')
    if not free then error('the balance is damaged') end
    accounts[name] = { free = tonumber(free), held = tonumber(held), refilledAt = tonumber(refilledAt), kept = kept }
  end
  return accounts[name]
end

local function readHold(kept)
  if not kept then return nil end
  local amount, charged = string.match(kept, '^(%d+):(%d*)$')
  if not amount then error('the hold is damaged') end
  return { amount = tonumber(amount), charged = tonumber(charged) }
end

local function holdOf(member) return readHold(redis.call('HGET', purse, 'h:' .. member)) end

local function setHold(member, amount, untilTime, charged)
  redis.call('HSET', purse, 'h:' .. member, number(amount) .. ':' .. (charged and number(charged) or ''))
  redis.call('ZADD', ends, number(untilTime), member)
end

-- An account that was closed meanwhile, and opened anew, knows nothing of it.
local function giveBack(account, hold)
  local amount = math.min(hold.amount, account.held)
  account.free, account.held = account.free + amount, account.held - amount
end

local function endHold(account, member, hold)
  giveBack(account, hold)
  redis.call('HDEL', purse, 'h:' .. member)
  redis.call('ZREM', ends, member)
end

-- The oldest of the holds whose time is over, and of the marks of those that were settled. So many at most: everybody
-- waits for a script, and nobody's balance needs a mark to be gone.
local function endThoseThatAreOver(now)
  local over, fields = redis.call('ZRANGEBYSCORE', ends, '-inf', number(now), 'LIMIT', '0', '1000'), {}
  if #over == 0 then return end
  for at, member in ipairs(over) do fields[at] = 'h:' .. member end
  for at, kept in ipairs(redis.call('HMGET', purse, unpack(fields))) do
    local hold = readHold(kept)
    local account = hold and hold.amount > 0 and accountOf(string.match(over[at], '^(%Z*)%z'))
    if account then giveBack(account, hold) end
  end
  redis.call('HDEL', purse, unpack(fields))
  redis.call('ZREM', ends, unpack(over))
end

-- The account as it is at 'now': holds whose time is over are given back, a refill that is due is made.
local function bringUp(credit, now)
  endThoseThatAreOver(now)
  local account = accountOf(credit.name, credit.opening)
  if credit.due and account.refilledAt < credit.due then
    account.free = math.max(0, credit.to - account.held)
    account.refilledAt = credit.due
  end
  return account
end

local function keepAccounts()
  for name, account in pairs(accounts) do
    local text = number(account.free) .. ':' .. number(account.held) .. ':' .. number(account.refilledAt)
    if text ~= account.kept then redis.call('HSET', purse, 'a:' .. name, text) end
  end
end

local function creditAt(at)
  return {
    name = ARGV[at],
    opening = number(ARGV[at + 1]) .. ':0:' .. number(ARGV[at + 2]),
    to = tonumber(ARGV[at + 3]),
    due = tonumber(ARGV[at + 4]),
  }
end
`
