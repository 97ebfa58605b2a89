"""A web server of a few lines in Lua with LuaSocket."""
from script_server import load

SCRIPT = """
local socket = require("socket")
local server = assert(socket.bind("0.0.0.0", tonumber(arg[1]), 64))
local function answer(path, body)
	if path == "/post" then
		return tostring(#body)
	elseif path == "/sort" then
		local a = {}
		for i = 1, 100000 do a[i] = i * 7919 % 100003 end
		table.sort(a)
		return a[1] .. " " .. #a
	elseif path == "/file" then
		local f = assert(io.open("/tmp/file", "w"))
		f:write(("x"):rep(200000))
		f:close()
		return tostring(#io.open("/tmp/file"):read("a"))
	end
	return "hello " .. path
end
while true do
	local c = server:accept()
	local line, path, length = c:receive(), nil, 0
	path = line and line:match("^%u+ (%S+)") or "/"
	while line and line ~= "" do
		length = tonumber(line:lower():match("^content%-length: (%d+)")) or length
		line = c:receive()
	end
	local a = answer(path, length > 0 and c:receive(length) or "")
	c:send("HTTP/1.1 200 OK\\r\\nContent-Length: " .. #a .. "\\r\\nConnection: close\\r\\n\\r\\n" .. a)
	c:close()
end
"""


def prepare(t):
    t.write("web.lua", SCRIPT)
