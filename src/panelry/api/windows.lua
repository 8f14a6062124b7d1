-- Takes units for many requests at once, each from all of its buckets or from none.
-- KEYS: the buckets of all requests. ARGV: the seconds of a window; then for each request its units, the number of its
-- buckets, and their limits. Returns when the window ends (unix seconds, by this server's clock); then for each request
-- the place of the first bucket without room, or 0, and what its buckets have left.
local window = tonumber(ARGV[1])
local now = tonumber(redis.call('TIME')[1])
local ends = now - now % window + window
local answers = {ends}
local key, at = 1, 2
while at < #ARGV do
  local units, buckets = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local denied, left = 0, {}
  for i = 1, buckets do
    left[i] = tonumber(ARGV[at + 1 + i]) - tonumber(redis.call('GET', KEYS[key + i - 1]) or '0')
    if denied == 0 and left[i] < units then
      denied = i
    end
  end
  answers[#answers + 1] = denied
  for i = 1, buckets do
    if denied == 0 and units > 0 then
      left[i] = left[i] - units
      if redis.call('INCRBY', KEYS[key + i - 1], units) == units then
        redis.call('EXPIREAT', KEYS[key + i - 1], ends)
      end
    end
    answers[#answers + 1] = math.max(left[i], 0)
  end
  key = key + buckets
  at = at + 2 + buckets
end
return answers
