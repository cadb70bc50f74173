import { LONGEST_LOG, SLOTS } from '../window-counter.ts'

/** What the text begins with: when it ends, the version, the windows. */
export const TOP = '<ddI2c0'
/** The numbers of a counter, how many they are, and how many bytes. */
export const HEAD = '<Bdddd'
const NUMBERS = 5
export const HEAD_SIZE = 33
/** The units of a slot, and how many bytes they take. */
export const CELL = '<I7'
export const WIDTH = 7
export const LEASES = '<I2ddd'
export const LEASED = '<dds'

/**
 * `counters.ts` in Lua, answer for answer, in one walk over one string: no table for a counter, no step for each unit.
 *
 * All counters of a key are that string: when it ends (ms), the version of the record that they were last taken from at,
 * the windows as they were asked for (`limit:ms:name` and a NUL each), then in their order the heads of all, and behind
 * them of each all cells but the newest, and its leases, if there are any. A head is the kind (1: slots; 2 more: leases),
 * units, the oldest and the newest moment or slot, and the units of the newest slot. A cell is the units of a slot or, in
 * a log, the moment of a unit, below the one in the head, of which so many bytes are kept as its window needs.
 *
 * Whoever changes the record takes the version from them (`disprove`): so nobody has to read it for a key that is in use.
 */
export const WINDOWS = `
local pack, unpackFrom, sub, floor = struct.pack, struct.unpack, string.sub, math.floor

-- What is known of windows before a counter of theirs is read. Most keys have the same.
local plans = {}
local function planOf(known)
  local plan = plans[known]
  if plan then return plan end
  plan = {}
  for limit, name, ms in string.gmatch(known, '([^:]+):(([^:]+):%Z+)%z') do
    ms = tonumber(ms)
    local width = 2 * ms < 256 ^ 3 and 3 or 2 * ms < 256 ^ 4 and 4 or ${WIDTH}
    plan[#plan + 1] = {
      name = name, limit = tonumber(limit), ms = ms, slot = floor(now * ${SLOTS} / ms),
      width = width, cell = '<I' .. width, span = 256 ^ width,
    }
  end
  plans[known] = plan
  return plan
end

-- When the text ends, the version that it proves, its windows, and where its heads begin.
local function topOf(text)
  if text then return unpackFrom('${TOP}', text) end
  return 0, -1, '', 1
end

local function cellOf(window, moment) return pack(window.cell, moment % window.span) end

-- The moment in a cell of a log whose newest is 'last'.
local function momentIn(window, text, from, last)
  return last - (last - unpackFrom(window.cell, text, from)) % window.span
end

-- Takes off what is older than 'oldest', but not the newest: units, the oldest, and where its cell is.
local function withoutOld(window, text, from, to, slotted, units, first, last, oldest)
  if not slotted then
    repeat
      units, from = units - 1, from + window.width
      first = from < to and momentIn(window, text, from, last) or last
    until first >= oldest
    return units, first, from
  end
  -- The oldest slot has units.
  while first < oldest or from < to and unpackFrom('${CELL}', text, from) == 0 do
    units, first, from = units - unpackFrom('${CELL}', text, from), first + 1, from + ${WIDTH}
  end
  return units, first, from
end

-- When a unit, counted from the oldest, counts no more. What is leased comes last, as if it were used at the end.
local function leavesAt(unit, window, text, from, to, leases, rest, slotted, units, first, last)
  local moment, ms = first, window.ms
  if unit > units and leases > to then
    local leased, id
    unit = unit - units
    repeat
      moment, leased, id, leases = unpackFrom('${LEASED}', text, leases)
      unit = unit - leased
    until unit <= 0 or leases >= rest
    if slotted then moment = floor(moment * ${SLOTS} / ms) end
  elseif unit > 1 and not slotted then
    from = from + (unit - 1) * window.width
    moment = from < to and momentIn(window, text, from, last) or last
  elseif unit > 1 then
    while moment < last do
      unit = unit - unpackFrom('${CELL}', text, from)
      if unit <= 0 then break end
      moment, from = moment + 1, from + ${WIDTH}
    end
  end
  return slotted and math.ceil((moment + ${SLOTS + 1}) * ms / ${SLOTS}) or moment + ms
end

-- One table for all takes: to make one costs as much as a window.
local pieces = {}

-- Brings every window to now and, if it 'takes', takes its cost from each of the first 'asked'. Answers true, the longest
-- window that is used and whether anything differs; false where there is no room; nil where
-- 'arranged' must come first, and whether a log has become too small. If it takes, what is to be kept is in 'pieces': the
-- numbers of all heads, and the parts of the bodies, of which the last answer is how many they are.
-- Puts into 'answer', from 'place' on, what is used and when it resets, and, without 'takes', when all would fit: -1 for never.
-- Lua hashes every byte of every text that it makes: what stays as it is is copied in one piece, and all are joined once.
local function pass(text, plan, head, asked, cost, costs, takes, answer, place)
  local numbers, at = 0, head + ${HEAD_SIZE} * #plan
  local part, copied = ${NUMBERS} * #plan, at
  local longest, differs, retryAt, outgrown = 0, false, now, false
  for i = 1, #plan do
    local window, from = plan[i], at
    local kind, units, first, last, newest
    kind, units, first, last, newest, head = unpackFrom('${HEAD}', text, head)
    local ms, limit, slotted, leased = window.ms, window.limit, kind % 2 == 1, 0
    local time, oldest, to
    if slotted then
      time, to = window.slot, from + ${WIDTH} * (last - first)
      oldest = time - ${SLOTS}
    else
      time, to = now, from + window.width * (units > 0 and units - 1 or 0)
      oldest = time - ms + 1
    end
    local leases = to
    at = to
    if kind > 1 then
      local size, lands, latest
      size, leased, lands, latest, leases = unpackFrom('${LEASES}', text, to)
      at = leases + size
      if lands <= now or latest - now > 2 * ms then return nil end
    end
    if last > time then
      -- The clock was set back.
      if last - time > (slotted and ${SLOTS} or ms) then return nil end
      oldest, time = oldest + last - time, last
    end
    if first < oldest and units > 0 then
      part, differs = part + 1, true
      pieces[part] = sub(text, copied, from - 1)
      if last < oldest then units, first, last, newest, from = 0, 0, 0, 0, to
      else units, first, from = withoutOld(window, text, from, to, slotted, units, first, last, oldest) end
      copied = from
    end

    local used, wish = units + leased, i > asked and 0 or costs and costs[i] or cost
    if takes and wish > 0 then
      if used + wish > limit then return false end
      if used == 0 then
        slotted = limit > ${LONGEST_LOG}
        if slotted then kind, time = 1, window.slot else kind, time = 0, now end
      elseif limit > ${LONGEST_LOG} and not slotted then outgrown = true end
      local tail
      if slotted then
        if units == 0 then first, newest = time, 0
        elseif time > last then newest, tail = 0, pack('${CELL}', newest) .. string.rep('\\0', ${WIDTH} * (time - last - 1)) end
      elseif not outgrown then
        if units == 0 then first = time else tail = cellOf(window, last) end
        if wish > 1 then tail = (tail or '') .. string.rep(cellOf(window, time), wish - 1) end
      end
      last, newest, units, used, differs = time, newest + wish, units + wish, used + wish, true
      if tail then
        pieces[part + 1], pieces[part + 2] = sub(text, copied, to - 1), tail
        part, copied = part + 2, to
      end
    end

    if i <= asked then
      local resetsAt, unit = now, used > limit and used - limit + 1 or 1
      if used > 0 then
        resetsAt = leavesAt(unit, window, text, from, to, leases, at, slotted, units, first, last)
      end
      answer[place], answer[place + 1] = used, resetsAt
      place = place + 2
    end

    if takes then
      pieces[numbers + 1], pieces[numbers + 2], pieces[numbers + 3] = kind, units, first
      pieces[numbers + 4], pieces[numbers + 5] = last, newest
    elseif wish > limit then retryAt = -1
    elseif i <= asked and used + wish > limit and retryAt >= 0 then
      local unit = used + wish - limit
      retryAt = math.max(retryAt, leavesAt(unit, window, text, from, to, leases, at, slotted, units, first, last))
    end
    -- Leases count for one window more.
    if kind > 1 then ms = ms * 1.5 end
    if used > 0 and ms > longest then longest = ms end
    numbers = numbers + ${NUMBERS}
  end
  if outgrown then return nil, true end
  if not takes then answer[place] = retryAt end
  if at ~= #text + 1 then error('the counters are damaged') end
  pieces[part + 1] = sub(text, copied)
  return true, longest, differs, part + 1 - numbers
end

-- The text of so many pieces. A unit may lie ahead of the clock by one window, and so counts for two.
local function keep(key, longest, ends, version, known, plan, parts)
  if longest == 0 then return redis.call('DEL', key) and nil end
  local isEarly, life = ends - now < 2 * longest, 2 * longest + 1000
  if isEarly then ends = now + life end
  local format = plan[-parts] or '${TOP}' .. string.rep('${HEAD}', #plan) .. string.rep('c0', parts)
  plan[-parts] = format
  local text = pack(format, ends, version, #known, known, unpack(pieces, 1, ${NUMBERS} * #plan + parts))
  if isEarly then redis.call('SET', key, text, 'PX', string.format('%d', life))
  else redis.call('SET', key, text, 'KEEPTTL') end
  return text
end
`
