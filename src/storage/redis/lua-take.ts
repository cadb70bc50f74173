/** What the scripts that take have in common, in Lua. */
export const TAKES = `
-- As TAKE answers, of the only key.
local function answered(outcome, numbers, other)
  return { pack('<dB' .. string.rep('d', #numbers), now, outcome, unpack(numbers)), other }
end

local function stale(record) return answered(2, {}, redis.call('GET', record)) end

local function isAt(record, version)
  return redis.call('GETRANGE', record, 0, #version) == version .. '\\n'
end

-- One cost for all windows, or one for each.
local function costsOf(text)
  local costs = {}
  for each in string.gmatch(text, '%S+') do costs[#costs + 1] = tonumber(each) end
  return costs[1], costs[2] and costs
end
`
