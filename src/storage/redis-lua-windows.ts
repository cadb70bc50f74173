/**
 * `window-counter.ts` and `counters.ts` in Lua, answer for answer. All counters of a key are one packed value: each is
 * a list of name, ms, whether it has slots, the oldest moment or slot, then gaps or counts.
 *
 * In a counter here, the cells from `head` to `tail` count. `dirty` says that what is kept is no longer true.
 */
export const WINDOWS = `
local SLOTS, LONGEST_LOG = 96, 100
local counters, dirty = {}, false

local function slotOf(moment, ms) return math.floor(moment * SLOTS / ms) end

local function addToLog(c, moment, units)
  if c.tail >= c.head and c.cells[c.tail] > moment then moment = c.cells[c.tail] end
  for at = c.tail + 1, c.tail + units do c.cells[at] = moment end
  c.tail = c.tail + units
  c.used = c.used + units
end

local function addToSlot(c, slot, units)
  if c.tail < c.head then c.first = slot end
  local present = math.max(c.head + slot - c.first, c.tail)
  while c.tail < present do
    c.tail = c.tail + 1
    c.cells[c.tail] = 0
  end
  c.cells[present] = c.cells[present] + units
  c.used = c.used + units
end

local function newCounter(name, ms)
  return { name = name, ms = ms, slotted = false, first = 0, head = 1, tail = 0, used = 0, cells = {} }
end

local function revive(kept)
  local c = newCounter(kept[1], kept[2])
  c.slotted = kept[3] == 1
  local cells, size = c.cells, #kept - 3
  if c.slotted then
    c.first = kept[4]
    for at = 1, size - 1 do
      cells[at] = kept[at + 4]
      c.used = c.used + cells[at]
    end
    c.tail = size - 1
    return c
  end
  local moment = 0
  for at = 1, size do
    moment = moment + kept[at + 3]
    cells[at] = moment
  end
  c.tail, c.used = size, size
  return c
end

local function load(key)
  local text = redis.call('GET', key)
  if not text then return true end
  local readable, kept = pcall(cmsgpack.unpack, text)
  if not readable or type(kept) ~= 'table' then return false end
  return pcall(function()
    for at = 1, #kept do counters[at] = revive(kept[at]) end
  end)
end

local function drop(c)
  dirty = true
  c.used = c.used - (c.slotted and c.cells[c.head] or 1)
  c.cells[c.head] = nil
  c.head = c.head + 1
  c.first = c.first + 1
end

local function settleLog(c, now)
  local newest = c.cells[c.tail]
  if newest - now > c.ms then
    dirty = true
    for at = c.tail, c.head, -1 do
      if c.cells[at] <= now then break end
      c.cells[at] = now
    end
    newest = c.cells[c.tail]
  end
  local time = math.max(now, newest)
  while c.tail >= c.head and time - c.cells[c.head] >= c.ms do drop(c) end
end

local function foldSlots(c, slot)
  dirty = true
  if c.first > slot then c.first = slot end
  local present, units = c.head + slot - c.first, 0
  for at = present, c.tail do
    units = units + c.cells[at]
    c.cells[at] = nil
  end
  c.cells[present] = units
  c.tail = present
end

local function settleSlots(c, now)
  local slot = slotOf(now, c.ms)
  if c.first + c.tail - c.head - slot > SLOTS then foldSlots(c, slot) end
  local present = math.max(slot, c.first + c.tail - c.head)
  while c.tail >= c.head and (c.cells[c.head] == 0 or c.first < present - SLOTS) do drop(c) end
end

local function settle(c, now)
  if c.tail < c.head then return end
  if c.slotted then settleSlots(c, now) else settleLog(c, now) end
end

local function becomeSlots(c)
  local moments, head, tail = c.cells, c.head, c.tail
  c.slotted, c.cells, c.head, c.tail, c.used = true, {}, 1, 0, 0
  for at = head, tail do addToSlot(c, slotOf(moments[at], c.ms), 1) end
end

local function add(c, limit, units, now)
  local large = limit > LONGEST_LOG
  if c.used == 0 then c.slotted = large
  elseif large and not c.slotted then becomeSlots(c) end
  if c.slotted then addToSlot(c, slotOf(now, c.ms), units) else addToLog(c, now, units) end
end

local function gone(c, units)
  if not c.slotted then return c.cells[math.min(c.head + units - 1, c.tail)] + c.ms end
  local at, left = c.head, units - c.cells[c.head]
  while left > 0 and at < c.tail do
    at = at + 1
    left = left - c.cells[at]
  end
  return math.ceil((c.first + at - c.head + SLOTS + 1) * c.ms / SLOTS)
end

local function find(w, at)
  local c = counters[at]
  if c and c.name == w.name and c.ms == w.ms then return c end
  for _, other in ipairs(counters) do
    if other.name == w.name and other.ms == w.ms then return other end
  end
end

local function append(w, now)
  local used = {}
  for _, c in ipairs(counters) do
    settle(c, now)
    if c.used > 0 then used[#used + 1] = c end
  end
  local c = newCounter(w.name, w.ms)
  used[#used + 1] = c
  counters = used
  return c
end

local function resetsAt(w, c, now)
  if not c or c.used == 0 then return now end
  return gone(c, math.max(1, c.used - w.limit + 1))
end

local function whenRoom(windows, now)
  local latest = now
  for at, w in ipairs(windows) do
    if w.cost > w.limit then return -1 end
    local c = find(w, at)
    local surplus = (c and c.used or 0) + w.cost - w.limit
    if c and surplus > 0 then latest = math.max(latest, gone(c, surplus)) end
  end
  return latest
end

-- Takes from every window or, where one has no room, from none; puts what is used and when it resets into 'answer'.
local function takeAll(windows, now, answer)
  local room = true
  for at, w in ipairs(windows) do
    local c = find(w, at)
    if c then settle(c, now) end
    if w.cost > 0 and not ((c and c.used or 0) + w.cost <= w.limit) then room = false end
  end
  for at, w in ipairs(windows) do
    local c = find(w, at)
    if room and w.cost > 0 then
      c = c or append(w, now)
      add(c, w.limit, w.cost, now)
      dirty = true
    end
    answer[#answer + 1] = c and c.used or 0
    answer[#answer + 1] = resetsAt(w, c, now)
  end
  return room
end

local function freeze(c)
  local kept = { c.name, c.ms, c.slotted and 1 or 0 }
  if c.slotted then
    kept[4] = c.first
    for at = c.head, c.tail do kept[#kept + 1] = c.cells[at] end
    return kept
  end
  local before = 0
  for at = c.head, c.tail do
    kept[#kept + 1] = c.cells[at] - before
    before = c.cells[at]
  end
  return kept
end

-- They outlive every unit in them: the time of a counter may run ahead of the clock by one window.
local function keep(key, now)
  local kept, longest = {}, 0
  for _, c in ipairs(counters) do settle(c, now) end
  if not dirty then return end
  for _, c in ipairs(counters) do
    if c.used > 0 then
      kept[#kept + 1] = freeze(c)
      longest = math.max(longest, c.ms)
    end
  end
  if #kept == 0 then return redis.call('DEL', key) end
  redis.call('SET', key, cmsgpack.pack(kept), 'PX', string.format('%.0f', 2 * longest + 1000))
end
`
