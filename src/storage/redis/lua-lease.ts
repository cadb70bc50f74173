import { LONGEST_LOG } from '../window-counter.ts'

/** `window-leases.ts` in Lua: what a lease is, beyond what every take has to know of it. */
export const LEASING = `
local MOST_LEASES = 16

-- What was used of it is a thing of now.
local function endLease(c, id, unused, now, add)
  for at, lease in ipairs(c.leases) do
    if lease.id == id then
      table.remove(c.leases, at)
      c.leased = c.leased - lease.units
      if lease.units > unused then add(c, now, lease.units - unused) end
      return true
    end
  end
end

local function addLease(c, lease, toSlots)
  local large, leases = c.window.limit > ${LONGEST_LOG}, c.leases
  if c.units + c.leased == 0 then c.slotted = large
  elseif large and not c.slotted then toSlots(c) end
  -- Nobody can end what two have together: it runs out.
  if #leases >= MOST_LEASES then
    local first = table.remove(leases, 1)
    leases[1] = { id = '', ends = leases[1].ends, units = first.units + leases[1].units }
  end
  local place = #leases + 1
  while place > 1 and leases[place - 1].ends > lease.ends do place = place - 1 end
  table.insert(leases, place, lease)
  c.leased = c.leased + lease.units
end

-- Ends one lease, whatever then comes of the other; takes that from all that were asked for, or from none.
local function dealer(ended, unused, lease, now)
  return function(counters, asked, add, toSlots)
    local differs = false
    for _, c in ipairs(counters) do
      if ended ~= '' and endLease(c, ended, unused, now, add) then differs = true end
    end
    if not lease or lease.units == 0 then return differs end
    for at = 1, asked do
      local c = counters[at]
      if c.units + c.leased + lease.units > c.window.limit then lease.outcome = 0 end
    end
    if lease.outcome == 0 then return differs end
    for at = 1, asked do
      addLease(counters[at], { id = lease.id, ends = lease.ends, units = lease.units }, toSlots)
    end
    return differs or asked > 0
  end
end
`
