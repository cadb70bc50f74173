import { createHash } from 'node:crypto'
import { ARRANGED } from './redis-lua-arranged.ts'
import { LEASING } from './redis-lua-lease.ts'
import { PURSE } from './redis-lua-purse.ts'
import { RECORD } from './redis-lua-record.ts'
import { TAKES } from './redis-lua-take.ts'
import { WINDOWS } from './redis-lua-windows.ts'

/** A script and the name under which a server remembers it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

export const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** A hint must never undo a change: where publishing is forbidden, it is left out. */
const PUBLISH = `
local function publish(channel, message) redis.pcall('PUBLISH', channel, message) end
`

/**
 * Fails on a replica, which may still know what was revoked, as a writing would, and changes nothing: a record has no
 * end. Full disks and the like are no reason not to read.
 */
export const WRITABLE = `
local told = redis.pcall('PERSIST', KEYS[1])
if type(told) == 'table' and string.find(told.err, 'READONLY', 1, true) then
  return redis.error_reply('READONLY the server is a replica')
end
`

/**
 * The record, or nothing. Also a reading is a script: a Cluster client sends it to the master then, whatever its
 * `scaleReads` says.
 */
export const FIND = script(`${WRITABLE}return redis.call('GET', KEYS[1])`)

/** Record; id, version, meta, data, the last moment at which this may still happen, channel. 1: done, 0: taken, 2: late. */
export const INSERT = script(`${NOW}${PUBLISH}${RECORD}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if now > tonumber(ARGV[5]) then return 2 end
keepRecord(KEYS[1], ARGV[2], '', ARGV[3], ARGV[4])
publish(ARGV[6], ARGV[1])
return 1`)

/** Record, purse; id, the version that it must have, then as INSERT, then the account that closes. */
export const REPLACE = script(`${NOW}${PUBLISH}${RECORD}
local version, marks = linesOf(redis.call('GET', KEYS[1]))
if version ~= ARGV[2] then return 0 end
if now > tonumber(ARGV[6]) then return 2 end
keepRecord(KEYS[1], ARGV[3], marks, ARGV[4], ARGV[5])
if ARGV[8] ~= '' then redis.call('HDEL', KEYS[2], 'a:' .. ARGV[8]) end
publish(ARGV[7], ARGV[1])
return 1`)

/** Record and all that lies beside it; id, channel. The meta of what was there. */
export const REMOVE = script(`${PUBLISH}${RECORD}
local kept = redis.pcall('GET', KEYS[1])
local _, _, meta = linesOf(kept)
redis.call('DEL', unpack(KEYS))
if not kept then return false end
publish(ARGV[2], ARGV[1])
return meta or ''`)

/** Records; the last use and the uses of each. One that is damaged keeps none of the others from being marked. */
export const TOUCH = script(`${RECORD}
for place, record in ipairs(KEYS) do
  local last, more = tonumber(ARGV[place * 2 - 1]), tonumber(ARGV[place * 2])
  local version, marks, meta, data = linesOf(redis.pcall('GET', record))
  if version then
    local at, uses = string.match(marks, '^(%d+):(%d+)$')
    marks = string.format('%.0f:%.0f', math.max(tonumber(at or 0), last), tonumber(uses or 0) + more)
    keepRecord(record, version, marks, meta, data)
  end
end
return 1`)

/** Record; owner, resource, whether there is a reason, reason, time, then the prefixes. 1: revoked now. 0: not, or damaged. */
export const REVOKE = script(`${RECORD}
local kept, marks, json, data = linesOf(redis.pcall('GET', KEYS[1]))
local version, isJson, meta = tonumber(kept or ''), pcall(cjson.decode, json or '')
if not version or not isJson or type(meta) ~= 'table' or type(meta[2]) ~= 'string' then return 0 end
if meta[1] == 'revoked' then return 0 end
if ARGV[1] ~= '' and 'o' .. meta[2] ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' and (meta[4] == cjson.null or 'r' .. meta[4] ~= ARGV[2]) then return 0 end
local known = false
for at = 5, #ARGV do known = known or ARGV[at] == meta[3] end
if not known then return 0 end
meta[1], meta[6], meta[7] = 'revoked', ARGV[4], ARGV[4]
if ARGV[3] ~= '' then meta[8] = string.sub(ARGV[3], 2) end
keepRecord(KEYS[1], string.format('%.0f', version + 1), marks, cjson.encode(meta), data)
return 1`)

/** Channel, message. */
export const TELL = script(`redis.pcall('PUBLISH', ARGV[1], ARGV[2]) return 1`)

/** Index, suspects; member. The server's time. */
export const SHELVE = script(`${NOW}
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return now`)

/** Index, suspects; member. */
export const UNSHELVE = script(`
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])`)

/** Index; the place before which to begin, the most members. */
export const PAGE = script(`return redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[1], '-', 'LIMIT', 0, ARGV[2])`)

/**
 * Index, suspects; how long (ms) an entry must have been without a record, then members without one. One that was so
 * before goes; the others are noted: a record may be on its way.
 */
export const SUSPECT = script(`${NOW}
local removed = 0
for at = 2, #ARGV do
  local since = redis.call('HGET', KEYS[2], ARGV[at])
  if not redis.call('ZSCORE', KEYS[1], ARGV[at]) then redis.call('HDEL', KEYS[2], ARGV[at])
  elseif not since then redis.call('HSET', KEYS[2], ARGV[at], string.format('%.0f', now))
  elseif now - tonumber(since) >= tonumber(ARGV[1]) then
    redis.call('ZREM', KEYS[1], ARGV[at])
    redis.call('HDEL', KEYS[2], ARGV[at])
    removed = removed + 1
  end
end
redis.call('PEXPIRE', KEYS[2], 86400000)
return removed`)

/** Name; claim, the claim that it may take the place of. The server's time, then the claim that stands against it. */
export const CLAIM = script(`${NOW}
local kept = redis.call('GET', KEYS[1])
if kept and kept ~= ARGV[2] then return { now, kept } end
redis.call('SET', KEYS[1], string.format('%.0f', now) .. '|' .. ARGV[1])
return { now }`)

/** Name; the token of the claim. */
export const FREE = script(`
local kept = redis.call('GET', KEYS[1])
if kept and string.find(kept, '|' .. ARGV[1] .. '|', 1, true) then return redis.call('DEL', KEYS[1]) end
return 0`)

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
 * Of one key, as TAKE, and purse, ends; behind the costs the account, the amount, and the hold. `{2, record}`: stale; else
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
    setHold(ARGV[4] .. '\\0' .. hold, amount, tonumber(ARGV[11]))
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
 * Purse, ends; the account, then `add` and an amount, and an id and an end where it is to be done once, `hold` or
 * `settle` and an amount, an id and an end, `release` and an id, or nothing; an end that begins with a plus counts from now. `{balance, charged}`; a balance of -1: too
 * much; a hold with 0 as charged: there was not enough.
 */
export const MOVE = script(`${NOW}${PURSE}
purse, ends = KEYS[1], KEYS[2]
local account, deed, amount = bringUp(creditAt(1), now), ARGV[6], tonumber(ARGV[7])
local charged, member = -1, ARGV[1] .. '\\0' .. (ARGV[8] or '')
local hold, ends_at = ARGV[8] and holdOf(member), tonumber(ARGV[9])
if ends_at and string.sub(ARGV[9], 1, 1) == '+' then ends_at = now + ends_at end
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

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
