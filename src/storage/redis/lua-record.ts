/**
 * A record in Lua: one text of four lines, which are version, marks, meta and data; in none of them can be a line break.
 * As a hash it would take half as much again, because a field of over 64 bytes makes Redis build a table.
 */
export const RECORD = `
local LINES = '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)$'

-- Nothing where there is no record, or one that is damaged.
local function linesOf(kept) return string.match(type(kept) == 'string' and kept or '', LINES) end

local function keepRecord(record, ...) redis.call('SET', record, table.concat({ ... }, '\\n')) end

-- What the record lets be taken may be other than before: its counters prove nothing any more.
local function disprove(counters)
  local text = redis.pcall('GET', counters)
  if type(text) ~= 'string' then return end
  redis.call('SET', counters, string.sub(text, 1, 8) .. struct.pack('<d', -1) .. string.sub(text, 17), 'KEEPTTL')
end
`
