-- Strings, tables, coroutines, files, errors.
local words = {}
for w in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do words[#words + 1] = w end
table.sort(words)
print(#words, table.concat(words, " "))
local function numbers(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local sum = 0
for i in numbers(10000) do sum = sum + i end
print(sum, ("%.6f"):format(math.sqrt(2)), 7 // 2, 2^53)
local name = os.tmpname()
local f = assert(io.open(name, "w"))
for i = 1, 1000 do f:write(i, "\n") end
f:close()
local total = 0
for line in io.lines(name) do total = total + tonumber(line) end
print(total, os.remove(name), io.open(name))
print(pcall(error, { code = 5 }), select(2, pcall(function() local x = nil; return x.y end)))
print(arg[1], #arg, os.getenv("HOME") ~= nil, type(os.time()))
io.stderr:write("to stderr\n")
os.exit(3)
