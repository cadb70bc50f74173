import { ARRANGED } from './lua-arranged.ts'
import { LEASING } from './lua-lease.ts'
import { PURSE } from './lua-purse.ts'
import { TAKES } from './lua-take.ts'
import { WINDOWS } from './lua-windows.ts'
import { NOW, PROVING, script, WRITABLE } from './scripts.ts'

/**
 * The counters of each key, then the record of each; the version of each, then for those that follow each other and have
 * them in common: how many, windows (as `WINDOWS` says), their cost or, with spaces between them, costs. Nothing is
 * written before everything was proved.
 *
 * A list. First bytes: as a double the time, then for one key after the other 2 where the version is stale, 3 where this
 * one failed, else 1 or, where there is no room, 0, and as doubles used and resetsAt of each window and, without room,
 * retryAt. Then, in their order, the record of each stale one and the words of each that failed; of a single key the
 * script fails.
 */
export const TAKE = script(`${PROVING}${NOW}${WINDOWS}${ARRANGED}${TAKES}
local count = #KEYS / 2
local texts, kept = redis.call('MGET', unpack(KEYS, 1, count)), {}
local told, size, shapes, answers = { now }, 1, { '<d' }, { '' }
local function taken(at, wanted, cost, costs)
  local key, record, version = KEYS[at], KEYS[count + at], tonumber(ARGV[at])
  -- None, or of another kind.
  local text = kept[key] or texts[at] or redis.call('GET', key)
  local ends, proved, known, head = topOf(text)
  if proved ~= version and not isAt(record, ARGV[at]) then return 2, redis.call('GET', record) end
  if wanted == '' then return 1 end
  local room, longest, windows, plan, parts =
    decided(text, known, head, wanted, cost, costs, true, told, size + 2)
  if longest then kept[key] = keep(key, longest, ends, version, windows, plan, parts)
  -- What writes nothing would not fail on a replica.
  elseif room then writable(record) end
  return room and 1 or 0
end
local at, said = 0, count
while at < count do
  local wanted, cost, costs = ARGV[said + 2], costsOf(ARGV[said + 3])
  local admitted = 'B' .. string.rep('dd', #planOf(wanted))
  for _ = 1, tonumber(ARGV[said + 1]) do
    at = at + 1
    local done, outcome, other = pcall(taken, at, wanted, cost, costs)
    if not done then
      if count == 1 then error(outcome, 0) end
      outcome, other = 3, type(outcome) == 'table' and outcome.err or tostring(outcome)
    end
    local shape = outcome > 1 and 'B' or outcome == 1 and admitted or admitted .. 'd'
    if outcome > 1 then answers[#answers + 1] = other end
    told[size + 1], shapes[at + 1], size = outcome, shape, size + #shape
  end
  said = said + 3
end
answers[1] = pack(table.concat(shapes), unpack(told, 1, size))
return answers`)

/**
 * Of one key: record, counters, purse, ends; version, windows, costs as for TAKE, then the account, the amount, and the
 * hold, of which the last says how long it is (ms). As TAKE answers, and behind it what is free.
 */
export const TAKE_PAID = script(`${WRITABLE}${NOW}${WINDOWS}${ARRANGED}${TAKES}${PURSE}
local text, room, longest, windows, plan, parts = redis.call('GET', KEYS[2]), true
local lasts, proved, known, head = topOf(text)
local version = tonumber(ARGV[1])
if proved ~= version and not isAt(KEYS[1], ARGV[1]) then return stale(KEYS[1]) end
local outcome, answer, cost, costs = 1, {}, costsOf(ARGV[3])
local function decide(takes)
  if ARGV[2] == '' then return end
  room, longest, windows, plan, parts = decided(text, known, head, ARGV[2], cost, costs, takes, answer, 1)
end
decide(true)
purse, ends = KEYS[3], KEYS[4]
local account, amount, hold = bringUp(creditAt(4), now), tonumber(ARGV[9]), ARGV[10]
if amount > account.free then
  outcome, answer = 0, {}
  decide(false)
  -- No wait helps.
  answer[math.max(1, #answer)] = -1
elseif not room then outcome = 0
else
  account.free = account.free - amount
  if hold then
    account.held = account.held + amount
    setHold(ARGV[4] .. '\\0' .. hold, amount, now + tonumber(ARGV[11]))
  end
end
keepAccounts()
if longest then keep(KEYS[2], longest, lasts, version, windows, plan, parts) end
-- As text: one driver reads large integers inexactly.
return answered(outcome, answer, number(account.free))`)

/**
 * As TAKE_PAID without an account, and behind the cost the id and the length (ms) of the lease, the id of the one that
 * ended and its unused units. It ends at any version, also where there is no room. As TAKE answers.
 */
export const LEASE = script(`${NOW}${WINDOWS}${ARRANGED}${TAKES}${LEASING}
if redis.call('EXISTS', KEYS[1]) == 0 then return stale(KEYS[1]) end
local answer, cost, kept = {}, tonumber(ARGV[3]), redis.call('GET', KEYS[2])
local lasts, proved, known, head = topOf(kept)
local version, lease = tonumber(ARGV[1])
if proved == version or isAt(KEYS[1], ARGV[1]) then
  proved, lease = version, { id = ARGV[4], ends = now + (tonumber(ARGV[5]) or 0), units = cost, outcome = 1 }
end
local change = dealer(ARGV[6], tonumber(ARGV[7]), lease, now)
local text, asked, differs, windows = arranged(kept, known, head, ARGV[2], change)
local _, longest = pass(text, planOf(windows), 1, asked, cost, nil, false, answer, 1)
pieces[1] = text
if differs then keep(KEYS[2], longest, lasts, proved, windows, {}, 1) end
return lease and answered(lease.outcome, answer) or stale(KEYS[1])`)

/**
 * Purse, ends and, of a key's own account, its record; the account, then `add` and an amount, and an id and for how long it is to be done once (ms), `hold` or
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
-- A request may end after its key was removed: nobody would remove what it leaves.
if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 0 then redis.call('DEL', purse, ends) end
return { number(account.free), number(charged) }`)
