/** So many members Redis keeps in one block, and a place alone takes little. */
const APART = 128
/** A member of so many bytes takes in no other place: some thirty are one then, and each alone would take four times as much. */
const FULL = 900
/** Members that are read at once. */
const SOME = 8

/**
 * A shelf in Lua: a sorted set, at KEYS[1], of places that go byte by byte. Where there are many, those that follow each
 * other are one member, the last first. Between them is \0, which is in no place, and before all that is. So members go
 * by their last places, and what comes after all others is put before a member without a look into it.
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

-- The member in which a place stands or would stand; none for what comes after all.
local function memberOf(place) return redis.call('ZRANGEBYLEX', KEYS[1], '[' .. place, '+', 'LIMIT', 0, 1)[1] end

-- Its places, and which of them is the first that comes no later.
local function around(place, member)
  local places = placesIn(member or '')
  local low, high = 1, #places + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if comesBefore(place, places[middle]) then low = middle + 1 else high = middle end
  end
  return places, low
end

-- Puts members in the place of one; empty ones are none.
local function exchange(member, ...)
  redis.call('ZREM', KEYS[1], member)
  for _, other in ipairs({ ... }) do
    if other ~= '' then redis.call('ZADD', KEYS[1], 0, other) end
  end
end

local function shelve(place)
  local member = memberOf(place)
  local places, at = around(place, member)
  if places[at] == place then return end
  local newest = redis.call('ZRANGE', KEYS[1], -1, -1)[1] or ''
  local isApart = at > #places and redis.call('ZCARD', KEYS[1]) < ${APART}
  if isApart or not member and #newest > ${FULL} then redis.call('ZADD', KEYS[1], 0, place)
  elseif not member then exchange(newest, place .. '\\0' .. newest)
  else
    table.insert(places, at, place)
    local half = #member > ${FULL} and math.floor(#places / 2) or #places
    exchange(member, table.concat(places, '\\0', 1, half), table.concat(places, '\\0', half + 1))
  end
end

local function unshelve(place)
  local member = memberOf(place)
  local places, at = around(place, member)
  if places[at] ~= place then return end
  table.remove(places, at)
  exchange(member, table.concat(places, '\\0'))
end

-- The last places before one, or of all, in descending order.
local function placesBefore(place, most)
  local found, read = {}, 0
  local top = place ~= '' and memberOf(place)
  top = top and '[' .. top or '+'
  repeat
    local members = redis.call('ZREVRANGEBYLEX', KEYS[1], top, '-', 'LIMIT', read, ${SOME})
    for _, member in ipairs(members) do
      for _, one in ipairs(placesIn(member)) do
        if #found == most then return found end
        if place == '' or comesBefore(one, place) then found[#found + 1] = one end
      end
    end
    read = read + #members
  until #members < ${SOME}
  return found
end
`
