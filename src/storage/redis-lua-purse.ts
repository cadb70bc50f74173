/**
 * `accounts.ts` in Lua, answer for answer. A purse is a hash with one field for each account (`a:…`) and for each hold
 * (`h:…`), and a sorted set of the holds by their end. `%.0f`, because Lua's own way to write a number has 14 digits.
 */
export const PURSE = `
local accounts, purse, ends = {}, nil, nil

local function number(value) return string.format('%.0f', value) end

local function accountOf(name)
  if accounts[name] ~= nil then return accounts[name] end
  local kept = redis.call('HGET', purse, 'a:' .. name)
  local account = false
  if kept then
    local free, held, refilledAt = string.match(kept, '^(%d+):(%d+):(-?%d+)$')
    if not free then error('the balance is damaged') end
    account = { free = tonumber(free), held = tonumber(held), refilledAt = tonumber(refilledAt), kept = kept }
  end
  accounts[name] = account
  return account
end

local function holdOf(member)
  local kept = redis.call('HGET', purse, 'h:' .. member)
  if not kept then return nil end
  local amount, charged = string.match(kept, '^(%d+):(%d*)$')
  if not amount then error('the hold is damaged') end
  return { amount = tonumber(amount), charged = tonumber(charged) }
end

local function setHold(member, amount, untilTime, charged)
  redis.call('HSET', purse, 'h:' .. member, number(amount) .. ':' .. (charged and number(charged) or ''))
  redis.call('ZADD', ends, number(untilTime), member)
end

local function endHold(account, member, hold)
  if account then
    account.free = account.free + hold.amount
    account.held = account.held - hold.amount
  end
  redis.call('HDEL', purse, 'h:' .. member)
  redis.call('ZREM', ends, member)
end

-- The account as it is at 'now': holds whose time is over are given back, a refill that is due is made.
local function bringUp(credit, now)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', number(now))) do
    local hold = holdOf(member)
    if hold then endHold(accountOf(string.match(member, '^(%Z*)%z')), member, hold)
    else redis.call('ZREM', ends, member) end
  end
  local account = accountOf(credit.name)
  if not account then
    account = { free = credit.opening, held = 0, refilledAt = credit.openedAt }
    accounts[credit.name] = account
  end
  if credit.due and account.refilledAt < credit.due then
    account.free = math.max(0, credit.to - account.held)
    account.refilledAt = credit.due
  end
  return account
end

local function keepAccounts()
  for name, account in pairs(accounts) do
    if account then
      local text = number(account.free) .. ':' .. number(account.held) .. ':' .. number(account.refilledAt)
      if text ~= account.kept then redis.call('HSET', purse, 'a:' .. name, text) end
    end
  end
end

local function creditAt(at)
  return {
    name = ARGV[at],
    opening = tonumber(ARGV[at + 1]),
    openedAt = tonumber(ARGV[at + 2]),
    to = tonumber(ARGV[at + 3]),
    due = tonumber(ARGV[at + 4]),
  }
end
`
