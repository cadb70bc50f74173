/**
 * A record in Lua: one text of four lines, which are version, marks, meta and data; in none of them can be a line break.
 * As a hash it would take half as much again, because a field of over 64 bytes makes Redis build a table.
 */
export const RECORD = `
local LINES = '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)$'

-- Nothing where there is no record, or one that is damaged.
local function linesOf(kept) return string.match(type(kept) == 'string' and kept or '', LINES) end

local function keepRecord(record, ...) redis.call('SET', record, table.concat({ ... }, '\\n')) end

-- Of a number Redis makes a text by way of printf, which takes about as long as the command.
local lengths = {}
local function isAt(record, version)
  local length = lengths[#version] or string.format('%d', #version)
  lengths[#version] = length
  return redis.call('GETRANGE', record, '0', length) == version .. '\\n'
end
`
