import { LONGEST_LOG, SLOTS } from '../window-counter.ts'
import { CELL, HEAD, HEAD_SIZE, LEASED, LEASES, WIDTH } from './lua-windows.ts'

/** What the windows need now and then, in Lua; the functions in it are made only when they are needed. */
export const ARRANGED = `
-- The counters in the order that was asked for: at first those, then others that are used. All of them are brought to
-- now; 'change' may do more. Answers their heads and bodies, how many were asked for, whether it is no longer true what is
-- kept, and their windows. The cells of a counter, but for the newest, stay the text that they are kept as: its body.
local function arranged(text, known, head, wanted, change)
  local differs, counters, byName = false, {}, {}

  local function empty(c)
    c.units, c.first, c.last, c.newest, c.body = 0, 0, 0, 0, ''
    return c
  end

  local function newCounter(window) return empty({ window = window, slotted = false, leased = 0, leases = {} }) end

  local function add(c, moment, units)
    if c.slotted then
      local slot = floor(moment * ${SLOTS} / c.window.ms)
      if c.units == 0 then c.first, c.last = slot, slot
      elseif slot > c.last then
        c.body = c.body .. pack('${CELL}', c.newest) .. string.rep('\\0', ${WIDTH} * (slot - c.last - 1))
        c.last, c.newest = slot, 0
      end
      c.newest = c.newest + units
    else
      if c.units == 0 then c.first, c.last = moment, moment
      else c.body = c.body .. cellOf(c.window, c.last) end
      c.last = math.max(moment, c.last)
      c.body = c.body .. string.rep(cellOf(c.window, c.last), units - 1)
    end
    c.units = c.units + units
  end

  local function toSlots(c)
    local body, units, last = c.body, c.units, c.last
    empty(c)
    c.slotted = true
    for at = 1, #body, c.window.width do add(c, momentIn(c.window, body, at, last), 1) end
    if units > 0 then add(c, last, 1) end
  end

  local function widthOf(c) return c.slotted and ${WIDTH} or c.window.width end

  -- Its head, and what lies at 'from'; where both end.
  local function read(c, head, from)
    local kind
    kind, c.units, c.first, c.last, c.newest, head = unpackFrom('${HEAD}', text, head)
    c.slotted = kind % 2 == 1
    local at = from + widthOf(c) * (c.slotted and c.last - c.first or math.max(0, c.units - 1))
    c.body = sub(text, from, at - 1)
    if kind < 2 then return head, at end
    local bytes, ends, units, id
    bytes, c.leased, ends, ends, at = unpackFrom('${LEASES}', text, at)
    local rest = at + bytes
    while at < rest do
      ends, units, id, at = unpackFrom('${LEASED}', text, at)
      c.leases[#c.leases + 1] = { ends = ends, units = units, id = id }
    end
    return head, rest
  end

  local function land(c)
    local latest = #c.leases > 0 and c.leases[#c.leases].ends
    while c.leases[1] and c.leases[1].ends <= now do
      local over = table.remove(c.leases, 1)
      c.leased, differs = c.leased - over.units, true
      add(c, over.ends, over.units)
    end
    if not latest or latest - now <= 2 * c.window.ms then return end
    differs = true
    for _, lease in ipairs(c.leases) do lease.ends = math.min(lease.ends, now + c.window.ms) end
  end

  -- The clock was set back: what lies ahead of it becomes a thing of now.
  local function fold(c, present)
    local before = c.slotted and ${WIDTH} * math.max(0, present - c.first) or 0
    local parts = { sub(c.body, 1, before) }
    for at = before + 1, #c.body, widthOf(c) do
      if c.slotted then c.newest = c.newest + unpackFrom('${CELL}', c.body, at)
      else parts[#parts + 1] = cellOf(c.window, math.min(momentIn(c.window, c.body, at, c.last), now)) end
    end
    c.body, c.first, c.last = table.concat(parts), math.min(c.first, present), math.min(c.last, present)
  end

  local function advance(c)
    if c.units == 0 then return end
    local time, reach = now, c.window.ms
    if c.slotted then time, reach = c.window.slot, ${SLOTS} end
    if c.last - time > reach then
      differs = true
      fold(c, time)
    end
    local oldest = math.max(time, c.last) - reach + (c.slotted and 0 or 1)
    if c.first >= oldest then return end
    differs = true
    if c.last < oldest then return empty(c) end
    local from
    c.units, c.first, from = withoutOld(c.window, c.body, 1, #c.body + 1, c.slotted, c.units, c.first, c.last, oldest)
    c.body = sub(c.body, from)
  end

  -- Its head, and its body.
  local function write(c)
    local leases = {}
    for at, lease in ipairs(c.leases) do leases[at] = pack('${LEASED}', lease.ends, lease.units, lease.id) end
    local kind, section = c.slotted and 1 or 0, table.concat(leases)
    if section ~= '' then
      kind = kind + 2
      section = pack('${LEASES}', #section, c.leased, c.leases[1].ends, c.leases[#leases].ends) .. section
    end
    return pack('${HEAD}', kind, c.units, c.first, c.last, c.newest), c.body .. section
  end

  local kept, plan = {}, planOf(known)
  local from = head + ${HEAD_SIZE} * #plan
  for place, window in ipairs(plan) do
    local c = newCounter(window)
    head, from = read(c, head, from)
    land(c)
    advance(c)
    byName[window.name], kept[place] = c, c
  end
  for place, window in ipairs(planOf(wanted)) do
    local c = byName[window.name] or newCounter(window)
    c.window, c.asked, counters[place] = window, true, c
  end
  local asked, order = #counters, wanted
  for _, c in ipairs(kept) do
    if not c.asked and c.units + c.leased > 0 then
      order, counters[#counters + 1] = order .. string.format('%.0f:%s', c.window.limit, c.window.name) .. '\\0', c
    end
  end
  if change and change(counters, asked, add, toSlots) then differs = true end
  local heads, bodies = {}, {}
  for at, c in ipairs(counters) do heads[at], bodies[at] = write(c) end
  return table.concat(heads) .. table.concat(bodies), asked, differs, order
end

-- A log that is too small for its limit now.
local function outgrow(counters, asked, _, toSlots)
  for at = 1, asked do
    local c = counters[at]
    if c.window.limit > ${LONGEST_LOG} and c.units + c.leased > 0 and not c.slotted then toSlots(c) end
  end
end

-- Passes as often as need be: whether there is room and, where something is to be kept, the longest window and what else
-- 'keep' wants of it.
local function decided(text, known, head, wanted, cost, costs, takes, answer, place)
  local room, differs, inOrder, asked = true, false, known == wanted, math.huge
  local plan, ok, longest, changed, parts
  if not inOrder and text and sub(known, 1, #wanted) == wanted then
    inOrder, asked = true, select(2, string.gsub(wanted, '%z', ''))
  end
  for step = 1, 4 do
    if not inOrder then
      text, asked, changed, known = arranged(text, known, head, wanted, step > 1 and longest and outgrow)
      differs, head = differs or changed, 1
    end
    plan = planOf(known)
    ok, longest, changed, parts = pass(text, plan, head, asked, cost, costs, takes, answer, place)
    if ok then break end
    -- Without room, everything is only looked at.
    inOrder = ok == false
    if inOrder then room, takes = false, false end
  end
  if not ok then error('the counters do not come to rest') end
  if not (differs or changed) then return room end
  if takes then return room, longest, known, plan, parts end
  pieces[1], asked, changed, known = arranged(text, known, head, wanted)
  return room, longest, known, {}, 1
end
`
