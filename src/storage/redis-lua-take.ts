/** What is done to the counters of one key, in Lua. */
export const TAKES = `
local function stale(record) return { 2, redis.call('GET', record) } end

-- One cost for all windows, or one for each.
local function costsOf(text)
  local cost, costs = tonumber(text), nil
  if cost then return cost end
  costs = {}
  for each in string.gmatch(text, '%S+') do costs[#costs + 1] = tonumber(each) end
  return 0, costs
end

local function take(key, wanted, price, now)
  local answer, cost, costs = { 1, now, nil, nil, nil, nil, nil }, costsOf(price)
  if wanted == '' then return answer end
  local room, text, longest = decided(redis.call('GET', key), wanted, now, cost, costs, true, answer)
  if not room then answer[1] = 0 end
  if text then keep(key, text, longest, now) end
  return answer
end
`
