/** What the windows need now and then, in Lua; the functions in it are made only when they are needed. */
export const ARRANGED = `
local WINDOW = '([^:]+):([^%z]+)%z'

-- The counters in the order that was asked for: at first those, then others that are used. All of them are brought to
-- 'now'; 'change' may do more. Answers the text, where its counters begin, and whether it is no longer true what is kept.
local function arranged(text, wanted, now, change)
  local differs, counters, byName = false, {}, {}

  local function slotOf(moment, ms) return math.floor(moment * SLOTS / ms) end

  local function add(c, moment, units)
    local cells, count = c.cells, #c.cells
    c.units = c.units + units
    if not c.slotted then
      local time = math.max(moment, cells[count] or moment)
      for at = count + 1, count + units do cells[at] = time end
      return
    end
    local slot = slotOf(moment, c.ms)
    if count == 0 then c.first = slot end
    local present = math.max(slot - c.first + 1, count)
    for at = count + 1, present do cells[at] = 0 end
    cells[present] = cells[present] + units
  end

  local function toSlots(c)
    local moments = c.cells
    c.slotted, c.cells, c.units = true, {}, 0
    for _, moment in ipairs(moments) do add(c, moment, 1) end
  end

  local function newCounter(name, limit)
    local ms = tonumber(string.match(name, '^[^:]+'))
    return { name = name, ms = ms, limit = tonumber(limit), slotted = false, units = 0, leased = 0, cells = {}, leases = {} }
  end

  local function read(c, at)
    local kind, _, _, units, first, last, newest, from = struct.unpack(HEAD, text, at)
    c.slotted, c.units, c.first = kind % 2 == 1, units, first
    local size = c.slotted and last - first or math.max(0, units - 1)
    for cell = 1, size do c.cells[cell] = struct.unpack(CELL, text, from + (cell - 1) * WIDTH) end
    if units > 0 then c.cells[size + 1] = c.slotted and newest or last end
    at = from + size * WIDTH
    if kind < 2 then return at end
    local bytes
    bytes, c.leased, _, _, at = struct.unpack(LEASES, text, at)
    local rest = at + bytes
    while at < rest do
      local ends, leased, id
      ends, leased, id, at = struct.unpack(LEASE, text, at)
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

  local function fold(c, present)
    differs = true
    if not c.slotted then
      for at = 1, #c.cells do c.cells[at] = math.min(c.cells[at], now) end
      return
    end
    local cells, units = {}, 0
    c.first = math.min(c.first, present)
    for at, count in ipairs(c.cells) do
      if c.first + at - 1 < present then cells[at] = count else units = units + count end
    end
    cells[present - c.first + 1] = units
    c.cells = cells
  end

  local function settle(c)
    if c.units == 0 then return end
    local function newest() return c.slotted and c.first + #c.cells - 1 or c.cells[#c.cells] end
    local time, reach = now, c.ms
    if c.slotted then time, reach = slotOf(now, c.ms), SLOTS end
    if newest() - time > reach then fold(c, time) end
    local oldest = math.max(time, newest()) - reach + (c.slotted and 0 or 1)
    while c.cells[1] and ((c.slotted and c.first or c.cells[1]) < oldest or c.cells[1] == 0) do
      differs = true
      local gone = table.remove(c.cells, 1)
      c.units = c.units - (c.slotted and gone or 1)
      if c.slotted then c.first = c.first + 1 end
    end
  end

  local function write(c)
    local cells, leases, count = {}, {}, #c.cells
    for at = 1, count - 1 do cells[at] = struct.pack(CELL, c.cells[at]) end
    for at, lease in ipairs(c.leases) do leases[at] = struct.pack(LEASE, lease.ends, lease.units, lease.id) end
    local kind, first, last, newest, section = c.slotted and 1 or 0, 0, 0, 0, table.concat(leases)
    if count > 0 and c.slotted then first, last, newest = c.first, c.first + count - 1, c.cells[count]
    elseif count > 0 then first, last = c.cells[1], c.cells[count] end
    if section ~= '' then
      kind = kind + 2
      section = struct.pack(LEASES, #section, c.leased, c.leases[1].ends, c.leases[#leases].ends) .. section
    end
    return struct.pack(HEAD, kind, c.ms, c.limit, c.units, first, last, newest) .. table.concat(cells) .. section
  end

  local ends, known, at, kept = 0, '', 1, {}
  if text then ends, known, at = struct.unpack(TOP, text) end
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
  local parts = { struct.pack(TOP, ends, #order, order) }
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

-- Passes as often as need be: whether there is room, the text where it is to be kept, and the longest window.
local function decided(text, wanted, now, cost, costs, takes, answer)
  local room, differs, asked, top, known, at = true, false, math.huge
  if text then top, known, at = struct.unpack(TOP, text) end
  local inOrder, ok, new, longest, changed = known == wanted
  if known and not inOrder and string.sub(known, 1, #wanted) == wanted then
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
  return room, new or arranged(text, wanted, now), longest
end
`
