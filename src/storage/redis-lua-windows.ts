/**
 * `counters.ts` in Lua, answer for answer, in one walk over one string: no table for a counter, no step for each unit.
 *
 * All counters of a key are that string: when it ends (ms), the windows as they were asked for (`limit:ms:name` and a NUL
 * each), then in their order a counter each, which is a head, all cells but the newest, and the leases, if there are any.
 * A cell is the moment of a unit (of which four bytes will do, below the one in the head, where the window is shorter than
 * what they can hold) or, with slots, the units of a slot. A head is the kind (1: slots; 2 more: leases), ms,
 * limit, units, the oldest and the newest moment or slot, and the units of the newest slot.
 */
export const WINDOWS = `
local pack, unpackFrom, sub, floor = struct.pack, struct.unpack, string.sub, math.floor
local SLOTS, LONGEST_LOG, WIDTH, SHORT = 96, 100, 7, 4294967296
local TOP, HEAD, CELL, LEASES, LEASE = '<dI2c0', '<Bdddddd', '<I7', '<I2ddd', '<dds'

-- How wide the cells are of a window of this length.
local function widthOf(slotted, ms) return not slotted and 2 * ms < SHORT and 4 or WIDTH end

local function cellOf(moment, width)
  if width == WIDTH then return pack(CELL, moment) end
  return pack('<I4', moment % SHORT)
end

-- The moment in a cell of a log whose newest is 'last'.
local function momentIn(text, from, width, last)
  if width == WIDTH then return (unpackFrom(CELL, text, from)) end
  return last - (last - unpackFrom('<I4', text, from)) % SHORT
end

-- Takes off what is older than 'oldest', but not the newest: units, the oldest, and where its cell is.
local function withoutOld(text, from, to, slotted, width, units, first, last, oldest)
  if not slotted then
    repeat
      units, from = units - 1, from + width
      first = from < to and momentIn(text, from, width, last) or last
    until first >= oldest
    return units, first, from
  end
  repeat
    units = units - unpackFrom(CELL, text, from)
    first, from = first + 1, from + WIDTH
  until first >= oldest
  -- The oldest slot has units.
  local filled = math.min(string.find(text, '[^%z]', from) or to, to)
  local empty = floor((filled - from) / WIDTH)
  return units, first + empty, from + empty * WIDTH
end

-- The moment or the slot of a unit, counted from the oldest. What is leased comes last, as if it were used at the end.
local function momentOf(unit, text, from, to, leases, rest, slotted, width, ms, units, first, last)
  if unit > units and leases > to then
    local ends, leased, id
    unit = unit - units
    repeat
      ends, leased, id, leases = unpackFrom(LEASE, text, leases)
      unit = unit - leased
    until unit <= 0 or leases >= rest
    return slotted and floor(ends * SLOTS / ms) or ends
  end
  if not slotted then
    from = from + (unit - 1) * width
    return from < to and momentIn(text, from, width, last) or last
  end
  while first < last do
    unit = unit - unpackFrom(CELL, text, from)
    if unit <= 0 then break end
    first, from = first + 1, from + WIDTH
  end
  return first
end

-- A text, or the beginning of one, with its end apart. Lua hashes every byte of every text that it makes, so that what is
-- put together piece by piece costs as much as all else: the pieces are joined once.
local function partsOf(text, to) return { sub(text, 1, 8), sub(text, 9, to or -1) } end

-- Brings every window to 'now' and, if it 'takes', takes its cost from each of the first 'asked'. Answers true, the parts
-- of the new text, the longest window that is used and whether anything differs; false where there is no room; nil where 'arranged'
-- must come first, and whether a log has become too small. Without 'takes' it makes none. Appends to 'answer' what
-- is used and when it resets, and, without 'takes', when all would fit: -1 for never.
local function pass(text, at, asked, now, cost, costs, takes, answer)
  local new, longest, differs, retryAt, outgrown = partsOf(text, at - 1), 0, false, now, false
  local i, place, part = 0, 3, 2
  while at <= #text do
    i = i + 1
    local kind, ms, limit, units, first, last, newest, from = unpackFrom(HEAD, text, at)
    local slotted, leased, tail = kind % 2 == 1, 0, ''
    local width = widthOf(slotted, ms)
    local time, reach, to = now, ms, from + width * (units > 0 and units - 1 or 0)
    if slotted then time, reach, to = floor(now * SLOTS / ms), SLOTS, from + WIDTH * (last - first) end
    local leases = to
    at = to
    if kind > 1 then
      local size, lands, latest
      size, leased, lands, latest, leases = unpackFrom(LEASES, text, to)
      at = leases + size
      if lands <= now or latest - now > 2 * ms then return nil end
    end
    -- The clock was set back.
    if last - time > reach then return nil end
    if last > time then time = last end
    local oldest = slotted and time - reach or time - reach + 1
    if first < oldest and units > 0 then
      differs = true
      if last < oldest then units, first, last, newest, from = 0, 0, 0, 0, to
      else units, first, from = withoutOld(text, from, to, slotted, width, units, first, last, oldest) end
    end

    local used, wish = units + leased, i > asked and 0 or costs and costs[i] or cost
    if takes and wish > 0 then
      if used + wish > limit then return false end
      if used == 0 then
        slotted = limit > LONGEST_LOG
        kind, time = slotted and 1 or 0, slotted and floor(now * SLOTS / ms) or now
        width = widthOf(slotted, ms)
      end
      if limit > LONGEST_LOG and not slotted then outgrown = true end
      local more = not slotted and not outgrown and wish > 1 and string.rep(cellOf(time, width), wish - 1) or ''
      if units == 0 then first, newest, tail = time, 0, more
      elseif not slotted then tail = cellOf(last, width) .. more
      elseif time > last then newest, tail = 0, pack(CELL, newest) .. string.rep('\\0', WIDTH * (time - last - 1)) end
      last, newest, units, used, differs = time, newest + wish, units + wish, used + wish, true
    end

    if i <= asked then
      local resetsAt = now
      if used > 0 then
        local moment = first
        if units == 0 or used > limit then
          moment = momentOf(math.max(1, used - limit + 1), text, from, to, leases, at, slotted, width, ms, units, first, last)
        end
        resetsAt = slotted and math.ceil((moment + SLOTS + 1) * ms / SLOTS) or moment + ms
      end
      answer[place], answer[place + 1], place = used, resetsAt, place + 2
    end

    if takes then
      if leases > to then tail = tail .. sub(text, to, at - 1) end
      new[part + 1], new[part + 2] = pack(HEAD, kind, ms, limit, units, first, last, newest), sub(text, from, to - 1)
      new[part + 3], part = tail, part + 3
    elseif wish > limit then retryAt = -1
    elseif i <= asked and used + wish > limit and retryAt >= 0 then
      local moment = momentOf(used + wish - limit, text, from, to, leases, at, slotted, width, ms, units, first, last)
      retryAt = math.max(retryAt, slotted and math.ceil((moment + SLOTS + 1) * ms / SLOTS) or moment + ms)
    end
    -- Leases count for one window more.
    if kind > 1 then ms = ms * 1.5 end
    if used > 0 and ms > longest then longest = ms end
  end
  if outgrown then return nil, true end
  if not takes then answer[place] = retryAt end
  if at ~= #text + 1 then error('the counters are damaged') end
  return true, takes and new or nil, longest, differs
end

-- A unit may lie ahead of the clock by one window, and so counts for two.
local function keep(key, parts, longest, now)
  if longest == 0 then return redis.call('DEL', key) end
  if unpackFrom('<d', parts[1]) - now >= 2 * longest then
    return redis.call('SET', key, table.concat(parts), 'KEEPTTL')
  end
  local life = 2 * longest + 1000
  parts[1] = pack('<d', now + life)
  redis.call('SET', key, table.concat(parts), 'PX', string.format('%d', life))
end
`
