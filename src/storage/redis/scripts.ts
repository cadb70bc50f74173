import { createHash } from 'node:crypto'
import { RECORD } from './lua-record.ts'
import { SHELF } from './lua-shelf.ts'

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
 * end. A full memory or disk, and replicas that are missing, are no reason not to read; whatever else forbids the
 * question leaves it open.
 */
export const PROVING = `
local function writable(record)
  local told = redis.pcall('PERSIST', record)
  if type(told) == 'table' and told.err then
    local why = string.match(told.err, '%u[%u%d]+')
    if why ~= 'OOM' and why ~= 'MISCONF' and why ~= 'NOREPLICAS' then error('PERSIST: ' .. told.err, 0) end
  end
end
`
export const WRITABLE = `${PROVING}writable(KEYS[1])
`

/**
 * The record, or nothing. Also a reading is a script: a Cluster client sends it to the master then, whatever its
 * `scaleReads` says.
 */
export const FIND = script(`${WRITABLE}return redis.call('GET', KEYS[1])`)

/** Record, counters; id, version, meta, data, the last moment at which this may still happen, channel. 1: done, 0: taken, 2: late. */
export const INSERT = script(`${NOW}${PUBLISH}${RECORD}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if now > tonumber(ARGV[5]) then return 2 end
disprove(KEYS[2])
keepRecord(KEYS[1], ARGV[2], '', ARGV[3], ARGV[4])
publish(ARGV[6], ARGV[1])
return 1`)

/** Record, counters, purse; id, the version that it must have, then as INSERT, then the account that closes. */
export const REPLACE = script(`${NOW}${PUBLISH}${RECORD}
local version, marks = linesOf(redis.call('GET', KEYS[1]))
if version ~= ARGV[2] then return 0 end
if now > tonumber(ARGV[6]) then return 2 end
disprove(KEYS[2])
keepRecord(KEYS[1], ARGV[3], marks, ARGV[4], ARGV[5])
if ARGV[8] ~= '' then redis.call('HDEL', KEYS[3], 'a:' .. ARGV[8]) end
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

/** Record, counters; owner, resource and reason, each marked or empty, time, then the prefixes. 1: revoked now. 0: not, or damaged. */
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
disprove(KEYS[2])
keepRecord(KEYS[1], string.format('%.0f', version + 1), marks, cjson.encode(meta), data)
return 1`)

/** Channel, message. */
export const TELL = script(`redis.pcall('PUBLISH', ARGV[1], ARGV[2]) return 1`)

/** Shelf, suspects; place. The server's time. */
export const SHELVE = script(`${NOW}${SHELF}
shelve(ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return now`)

/** Shelf, suspects; place. */
export const UNSHELVE = script(`${SHELF}
unshelve(ARGV[1])
return redis.call('HDEL', KEYS[2], ARGV[1])`)

/** Shelf (or notes, each a member of its own); the place before which to begin, or nothing; the most. In descending order. */
export const PAGE = script(`${SHELF}return placesBefore(ARGV[1], tonumber(ARGV[2]))`)

/**
 * Shelf, suspects; how long (ms) a place must have been without a record, then places without one. One that was so
 * before goes; the others are noted: a record may be on its way.
 */
export const SUSPECT = script(`${NOW}${SHELF}
local removed = 0
for at = 2, #ARGV do
  local since = redis.call('HGET', KEYS[2], ARGV[at])
  local places, place = around(ARGV[at], memberOf(ARGV[at]))
  if places[place] ~= ARGV[at] then redis.call('HDEL', KEYS[2], ARGV[at])
  elseif not since then redis.call('HSET', KEYS[2], ARGV[at], string.format('%.0f', now))
  elseif now - tonumber(since) >= tonumber(ARGV[1]) then
    unshelve(ARGV[at])
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

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
