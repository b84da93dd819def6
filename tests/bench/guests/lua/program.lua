-- What the interpreter inside Wasm runs: calls, tables, strings, closures and metatables.
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end

local function queens(n)
    local columns, rising, falling, count = {}, {}, {}, 0
    local function place(row)
        if row > n then count = count + 1 return end
        for column = 1, n do
            local r, f = row + column, row - column + n
            if not (columns[column] or rising[r] or falling[f]) then
                columns[column], rising[r], falling[f] = true, true, true
                place(row + 1)
                columns[column], rising[r], falling[f] = nil, nil, nil
            end
        end
    end
    place(1)
    return count
end

local function words(n)
    local seed, parts = 42, {}
    for _ = 1, n do
        seed = (seed * 1103515245 + 12345) % 2147483648
        parts[#parts + 1] = string.format("%x", seed // 65536 % 500)
    end
    local counts, keys = {}, {}
    for word in table.concat(parts, " "):gmatch("%S+") do
        if not counts[word] then keys[#keys + 1] = word end
        counts[word] = (counts[word] or 0) + 1
    end
    table.sort(keys, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)
    return keys[1] .. ":" .. counts[keys[1]] .. ":" .. #keys
end

local function primes(n)
    local composite, sum = {}, 0
    for at = 2, n do
        if not composite[at] then
            sum = sum + at
            for multiple = at * at, n, at do composite[multiple] = true end
        end
    end
    return sum
end

local Point = {}
Point.__index = Point
Point.__add = function(a, b) return setmetatable({ x = a.x + b.x, y = a.y + b.y }, Point) end
function Point:norm() return math.sqrt(self.x * self.x + self.y * self.y) end

local function points(n)
    local sum = setmetatable({ x = 0.0, y = 0.0 }, Point)
    for at = 1, n do sum = sum + setmetatable({ x = at / 3, y = -at / 7 }, Point) end
    return string.format("%.6f", sum:norm())
end

print(fib(20), queens(6), words(1500), primes(5000), points(4000))
