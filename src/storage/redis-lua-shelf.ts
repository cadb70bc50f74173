/** So many members Redis keeps in one block, and a place alone takes little. */
const APART = 128
/** So many places are one member at most: each alone would take four times as much. */
const TOGETHER = 32
/** Members that are read at once. */
const SOME = 8

/**
 * A shelf in Lua: a sorted set, at KEYS[1], of places that go byte by byte. Where there are many, those that follow each
 * other are one member. Between them is \0, which is in no place, and before all that is.
 */
export const SHELF = `
-- Lua itself would compare by the language of the server.
local function comesBefore(a, b)
  local at, byte = 1, string.byte
  while at <= #a and byte(a, at) == byte(b, at) do at = at + 1 end
  return (byte(a, at) or -1) < (byte(b, at) or -1)
end

local function placesIn(member)
  local places = {}
  for place in string.gmatch(member, '[^%z]+') do places[#places + 1] = place end
  return places
end

local function joined(places, from, to) return table.concat(places, '\\0', from, to) end

-- The places of the member where one stands or would stand, and how many of them come no later.
local function around(place)
  local last = redis.call('ZREVRANGEBYLEX', KEYS[1], '(' .. place .. '\\1', '-', 'LIMIT', 0, 1)[1]
  local places = placesIn(last or redis.call('ZRANGE', KEYS[1], 0, 0)[1] or '')
  local at = last and #places or 0
  while at > 0 and comesBefore(place, places[at]) do at = at - 1 end
  return places, at
end

local function shelve(place)
  local places, at = around(place)
  if places[at] == place then return end
  local isBetween = at > 0 and at < #places
  if #places == 0 or not isBetween and redis.call('ZCARD', KEYS[1]) < ${APART} then
    redis.call('ZADD', KEYS[1], 0, place)
    return
  end
  redis.call('ZREM', KEYS[1], joined(places))
  table.insert(places, at + 1, place)
  local size = #places
  -- What grows at its end leaves full members behind.
  if size > ${TOGETHER} then
    size = at + 1 == size and ${TOGETHER} or math.floor(size / 2)
    redis.call('ZADD', KEYS[1], 0, joined(places, size + 1))
  end
  redis.call('ZADD', KEYS[1], 0, joined(places, 1, size))
end

local function unshelve(place)
  local places, at = around(place)
  if places[at] ~= place then return end
  redis.call('ZREM', KEYS[1], joined(places))
  table.remove(places, at)
  if #places > 0 then redis.call('ZADD', KEYS[1], 0, joined(places)) end
end

-- The last places before one, or of all, in descending order.
local function placesBefore(place, most)
  local found, top, read = {}, place == '' and '+' or '(' .. place, 0
  repeat
    local members = redis.call('ZREVRANGEBYLEX', KEYS[1], top, '-', 'LIMIT', read, ${SOME})
    for _, member in ipairs(members) do
      local places = placesIn(member)
      for at = #places, 1, -1 do
        if #found == most then return found end
        if place == '' or comesBefore(places[at], place) then found[#found + 1] = places[at] end
      end
    end
    read = read + #members
  until #members < ${SOME}
  return found
end
`
