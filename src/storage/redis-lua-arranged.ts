/** What the windows need now and then, in Lua; the functions in it are made only when they are needed. */
export const ARRANGED = `
local WINDOW = '([^:]+):([^%z]+)%z'

-- The counters in the order that was asked for: at first those, then others that are used. All of them are brought to
-- 'now'; 'change' may do more. Answers the text, where its counters begin, and whether it is no longer true what is
-- kept. The cells of a counter, but for the newest, stay the text that they are kept as: its body.
local function arranged(text, wanted, now, change)
  local differs, counters, byName = false, {}, {}

  local function slotOf(moment, ms) return floor(moment * SLOTS / ms) end

  local function empty(c) c.units, c.first, c.last, c.newest, c.body = 0, 0, 0, 0, '' end

  local function newCounter(name, limit)
    local ms = tonumber(string.match(name, '^[^:]+'))
    local c = { name = name, ms = ms, limit = tonumber(limit), slotted = false, leased = 0, leases = {} }
    empty(c)
    return c
  end

  local function add(c, moment, units)
    if c.slotted then
      local slot = slotOf(moment, c.ms)
      if c.units == 0 then c.first, c.last = slot, slot
      elseif slot > c.last then
        c.body = c.body .. pack(CELL, c.newest) .. string.rep('\0', WIDTH * (slot - c.last - 1))
        c.last, c.newest = slot, 0
      end
      c.newest = c.newest + units
    else
      if c.units == 0 then c.first, c.last = moment, moment
      else c.body = c.body .. cellOf(c.last, widthOf(false, c.ms)) end
      c.last = math.max(moment, c.last)
      c.body = c.body .. string.rep(cellOf(c.last, widthOf(false, c.ms)), units - 1)
    end
    c.units = c.units + units
  end

  local function toSlots(c)
    local body, units, last, width = c.body, c.units, c.last, widthOf(false, c.ms)
    empty(c)
    c.slotted = true
    for at = 1, #body, width do add(c, momentIn(body, at, width, last), 1) end
    if units > 0 then add(c, last, 1) end
  end

  local function read(c, at)
    local kind, _, _, from
    kind, _, _, c.units, c.first, c.last, c.newest, from = unpackFrom(HEAD, text, at)
    c.slotted = kind % 2 == 1
    at = from + widthOf(c.slotted, c.ms) * (c.slotted and c.last - c.first or math.max(0, c.units - 1))
    c.body = sub(text, from, at - 1)
    if kind < 2 then return at end
    local bytes
    bytes, c.leased, _, _, at = unpackFrom(LEASES, text, at)
    local rest = at + bytes
    while at < rest do
      local ends, leased, id
      ends, leased, id, at = unpackFrom(LEASE, text, at)
      c.leases[#c.leases + 1] = { ends = ends, units = leased, id = id }
    end
    return rest
  end

  local function land(c)
    local latest = #c.leases > 0 and c.leases[#c.leases].ends
    while c.leases[1] and c.leases[1].ends <= now do
      local over = table.remove(c.leases, 1)
      c.leased, differs = c.leased - over.units, true
      add(c, over.ends, over.units)
    end
    if not latest or latest - now <= 2 * c.ms then return end
    differs = true
    for _, lease in ipairs(c.leases) do lease.ends = math.min(lease.ends, now + c.ms) end
  end

  -- The clock was set back: what lies ahead of it becomes a thing of now.
  local function fold(c, present)
    local before = c.slotted and WIDTH * math.max(0, present - c.first) or 0
    local parts, width = { sub(c.body, 1, before) }, widthOf(c.slotted, c.ms)
    for at = before + 1, #c.body, width do
      if c.slotted then c.newest = c.newest + unpackFrom(CELL, c.body, at)
      else parts[#parts + 1] = cellOf(math.min(momentIn(c.body, at, width, c.last), now), width) end
    end
    c.body, c.first, c.last = table.concat(parts), math.min(c.first, present), math.min(c.last, present)
  end

  local function settle(c)
    if c.units == 0 then return end
    local time, reach = now, c.ms
    if c.slotted then time, reach = slotOf(now, c.ms), SLOTS end
    if c.last - time > reach then
      differs = true
      fold(c, time)
    end
    local oldest = math.max(time, c.last) - reach + (c.slotted and 0 or 1)
    if c.first >= oldest then return end
    differs = true
    if c.last < oldest then return empty(c) end
    local from
    local width = widthOf(c.slotted, c.ms)
    c.units, c.first, from = withoutOld(c.body, 1, #c.body + 1, c.slotted, width, c.units, c.first, c.last, oldest)
    c.body = sub(c.body, from)
  end

  local function write(c)
    local leases = {}
    for at, lease in ipairs(c.leases) do leases[at] = pack(LEASE, lease.ends, lease.units, lease.id) end
    local kind, section = c.slotted and 1 or 0, table.concat(leases)
    if section ~= '' then
      kind = kind + 2
      section = pack(LEASES, #section, c.leased, c.leases[1].ends, c.leases[#leases].ends) .. section
    end
    return pack(HEAD, kind, c.ms, c.limit, c.units, c.first, c.last, c.newest) .. c.body .. section
  end

  local ends, known, at, kept = 0, '', 1, {}
  if text then ends, known, at = unpackFrom(TOP, text) end
  for limit, name in string.gmatch(known, WINDOW) do
    local c = newCounter(name, limit)
    at = read(c, at)
    land(c)
    settle(c)
    byName[name], kept[#kept + 1] = c, c
  end
  for limit, name in string.gmatch(wanted, WINDOW) do
    local c = byName[name] or newCounter(name, limit)
    c.limit, c.asked, counters[#counters + 1] = tonumber(limit), true, c
  end
  local asked, order = #counters, wanted
  for _, c in ipairs(kept) do
    if not c.asked and c.units + c.leased > 0 then
      order, counters[#counters + 1] = order .. string.format('%.0f:%s', c.limit, c.name) .. '\\0', c
    end
  end
  if change and change(counters, asked, add, toSlots) then differs = true end
  local parts = { pack(TOP, ends, #order, order) }
  local from = #parts[1] + 1
  for at, c in ipairs(counters) do parts[at + 1] = write(c) end
  return table.concat(parts), from, asked, differs
end

-- A log that is too small for its limit now.
local function outgrow(counters, asked, _, toSlots)
  for at = 1, asked do
    local c = counters[at]
    if c.limit > LONGEST_LOG and c.units + c.leased > 0 and not c.slotted then toSlots(c) end
  end
end

-- Passes as often as need be: whether there is room, the parts of the text where it is to be kept, and the longest window.
local function decided(text, wanted, now, cost, costs, takes, answer)
  local room, differs, asked, top, known, at = true, false, math.huge
  if text then top, known, at = unpackFrom(TOP, text) end
  local inOrder, ok, new, longest, changed = known == wanted
  if known and not inOrder and sub(known, 1, #wanted) == wanted then
    inOrder, asked = true, select(2, string.gsub(wanted, '%z', ''))
  end
  for step = 1, 4 do
    if not inOrder then
      text, at, asked, changed = arranged(text, wanted, now, new and outgrow)
      differs = differs or changed
    end
    ok, new, longest, changed = pass(text, at, asked, now, cost, costs, takes, answer)
    if ok then break end
    -- Without room, everything is only looked at.
    inOrder = ok == false
    if inOrder then room, takes = false, false end
  end
  if not ok then error('the counters do not come to rest') end
  if not (differs or changed) then return room end
  return room, new or partsOf((arranged(text, wanted, now))), longest
end
`
