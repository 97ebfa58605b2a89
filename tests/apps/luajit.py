"""LuaJIT: compiled loops, C structures, strings, coroutines, garbage; as on Linux."""
import re

SCRIPT = """
local ffi = require("ffi")
ffi.cdef[[ typedef struct { double x, y; int n; } point; int getpid(void); unsigned long strlen(const char *s); ]]
local points = ffi.new("point[1000]")
for i = 0, 999 do points[i].x = i; points[i].y = i * i; points[i].n = i % 7 end
local sum = 0
for round = 1, 200 do for i = 0, 999 do sum = sum + points[i].x * 0.5 + points[i].n end end
print("points", sum, ffi.sizeof("point"), tonumber(ffi.C.strlen("hello")), ffi.C.getpid() > 0)
print("jit", (jit.status()))
local t = {}
for i = 1, 100000 do t[i] = (i * 7919) % 100003 end
table.sort(t)
print("sorted", t[1], t[50000], t[100000])
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print("coroutine", co(), co(), co())
local s = {}
for i = 1, 20000 do s[#s + 1] = ("%d:%x"):format(i, i) end
print("strings", #table.concat(s, ","), (table.concat(s, ","):gsub("1", "")):len())
print("error", pcall(function() local x = nil; return x.y end))
for i = 1, 200 do local g = {}; for j = 1, 1000 do g[j] = {j} end end
collectgarbage()
print("bits", require("bit").bxor(0x5555, 0xffff), math.floor(2 ^ 31.5))
"""


def prepare(t):
    t.write("lj.lua", SCRIPT)
