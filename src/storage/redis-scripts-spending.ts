import { ARRANGED } from './redis-lua-arranged.ts'
import { LEASING } from './redis-lua-lease.ts'
import { PURSE } from './redis-lua-purse.ts'
import { RECORD } from './redis-lua-record.ts'
import { TAKES } from './redis-lua-take.ts'
import { WINDOWS } from './redis-lua-windows.ts'
import { NOW, script, WRITABLE } from './redis-scripts.ts'

/**
 * For each key: record, counters; version, windows (as `WINDOWS` says), their cost or, with spaces between them, costs;
 * windows and costs are `=` where they are those of the key before. Nothing is written before everything was proved.
 *
 * A list. First the bytes of all keys, one after the other: 2 where the version is stale, 3 where this one failed, else 1
 * or, where there is no room, 0, and as doubles the time, used and resetsAt of each window and, without room, retryAt.
 * Then, in their order, the record of each stale one and the words of each that failed; of a single key the script fails.
 */
export const TAKE = script(`${NOW}${RECORD}${WINDOWS}${ARRANGED}${TAKES}
local windows, price
local function taken(at)
  local record, version = KEYS[at * 2 - 1], ARGV[at * 3 - 2]
  if ARGV[at * 3 - 1] ~= '=' then windows = ARGV[at * 3 - 1] end
  if ARGV[at * 3] ~= '=' then price = ARGV[at * 3] end
  if not isAt(record, version) then return stale(record) end
  return take(KEYS[at * 2], windows, price, now)
end
local bytes, answers, shapes = {}, { '' }, {}
local function tell(answer)
  local outcome, length = answer[1], #answer
  if outcome > 1 then
    bytes[#bytes + 1], answers[#answers + 1] = string.char(outcome), answer[2]
    return
  end
  local shape = shapes[length] or '<B' .. string.rep('d', length - 1)
  shapes[length] = shape
  bytes[#bytes + 1] = pack(shape, unpack(answer))
end
if #KEYS == 2 then tell(taken(1)) else
  for at = 1, #KEYS / 2 do
    local done, answer = pcall(taken, at)
    tell(done and answer or { 3, type(answer) == 'table' and answer.err or tostring(answer) })
  end
end
answers[1] = table.concat(bytes)
return answers`)

/**
 * Of one key, as TAKE, and purse, ends; behind the costs the account, the amount, and the hold, of which the last says
 * how long it is (ms). `{2, record}`: stale; else
 * `{ok, at, used and resetsAt of each window…}` and, where there is no room, retryAt. Last is what is free.
 */
export const TAKE_PAID = script(`${WRITABLE}${NOW}${RECORD}${WINDOWS}${ARRANGED}${TAKES}${PURSE}
if not isAt(KEYS[1], ARGV[1]) then return stale(KEYS[1]) end
local answer, cost, costs = { 1, now }, costsOf(ARGV[3])
local text, room, new, longest = redis.call('GET', KEYS[2]), true, nil, nil
if ARGV[2] ~= '' then room, new, longest = decided(text, ARGV[2], now, cost, costs, true, answer) end
purse, ends = KEYS[3], KEYS[4]
local account, amount, hold = bringUp(creditAt(4), now), tonumber(ARGV[9]), ARGV[10]
if amount > account.free then
  answer = { 0, now }
  if ARGV[2] ~= '' then room, new, longest = decided(text, ARGV[2], now, cost, costs, false, answer) end
  -- No wait helps.
  answer[math.max(3, #answer)] = -1
elseif not room then answer[1] = 0
else
  account.free = account.free - amount
  if hold then
    account.held = account.held + amount
    setHold(ARGV[4] .. '\\0' .. hold, amount, now + tonumber(ARGV[11]))
  end
end
-- As text: one driver reads large integers inexactly.
answer[#answer + 1] = number(account.free)
keepAccounts()
if new then keep(KEYS[2], new, longest, now) end
return answer`)

/**
 * Of one key, as TAKE_PAID without an account, and behind the cost the id and the length (ms) of the lease, the id of the one that ended and its
 * unused units. It ends at any version, also where there is no room.
 */
export const LEASE = script(`${NOW}${RECORD}${WINDOWS}${ARRANGED}${TAKES}${LEASING}
if redis.call('EXISTS', KEYS[1]) == 0 then return stale(KEYS[1]) end
local answer, cost = { 1, now }, tonumber(ARGV[3])
local lease = isAt(KEYS[1], ARGV[1]) and { id = ARGV[4], ends = now + (tonumber(ARGV[5]) or 0), units = cost }
local change = dealer(ARGV[6], tonumber(ARGV[7]), lease, now, answer)
local text, at, asked, differs = arranged(redis.call('GET', KEYS[2]), ARGV[2], now, change)
local _, _, longest = pass(text, at, asked, now, cost, nil, false, answer)
if differs then keep(KEYS[2], partsOf(text), longest, now) end
return lease and answer or stale(KEYS[1])`)

/**
 * Purse, ends; the account, then `add` and an amount, and an id and for how long it is to be done once (ms), `hold` or
 * `settle` and an amount, an id and for how long it is known, `release` and an id, or nothing. `{balance, charged}`; a
 * balance of -1: too much; a hold with 0 as charged: there was not enough.
 */
export const MOVE = script(`${NOW}${PURSE}
purse, ends = KEYS[1], KEYS[2]
local account, deed, amount = bringUp(creditAt(1), now), ARGV[6], tonumber(ARGV[7])
local charged, member = -1, ARGV[1] .. '\\0' .. (ARGV[8] or '')
local hold, ends_at = ARGV[8] and holdOf(member), now + (tonumber(ARGV[9]) or 0)
if deed == 'add' and hold and hold.charged then charged = hold.charged
elseif deed == 'add' then
  if account.free + account.held + amount > 9007199254740991 then
    keepAccounts()
    return { -1 }
  end
  account.free = account.free + amount
  if ARGV[8] then
    charged = amount
    setHold(member, 0, ends_at, amount)
  end
elseif deed == 'hold' then
  if amount > account.free then charged = 0
  else
    account.free, account.held = account.free - amount, account.held + amount
    setHold(member, amount, ends_at)
  end
elseif hold and hold.charged then
  if deed == 'settle' then charged = hold.charged end
else
  if hold then endHold(account, member, hold) end
  if deed == 'settle' then
    charged = math.min(amount, account.free)
    account.free = account.free - charged
    setHold(member, 0, ends_at, charged)
  end
end
keepAccounts()
return { number(account.free), number(charged) }`)
