"""Ruby with WEBrick: threads, a file, a hash, ERB; 8 clients."""
import hashlib
import os

from apps import Http, answers_http, http_load
from case import expect

SCRIPT = '''require "webrick"
require "digest"
require "erb"
require "json"
server = WEBrick::HTTPServer.new(Port: 8080, BindAddress: "0.0.0.0", AccessLog: [], Logger: WEBrick::Log.new($stderr, 1))
server.mount_proc("/hello") { |q, a| a.body = "hello #{q.path}" }
server.mount_proc("/post") { |q, a| a.body = Digest::SHA256.hexdigest(q.body) }
server.mount_proc("/erb") { |q, a| a.body = ERB.new("<% 5.times do |i| %><%= i * i %>,<% end %>").result }
server.mount_proc("/threads") { |q, a| a.body = 8.times.map { |t| Thread.new { (1..20000).sum { |i| i % (t + 1) } } }.map(&:value).to_json }
server.mount_proc("/file") { |q, a| File.write("/tmp/f", "x" * 100000); a.body = Digest::SHA256.file("/tmp/f").hexdigest }
server.mount_proc("/fork") { |q, a| a.body = begin; fork { }; "forked"; rescue SystemCallError, NotImplementedError => e; e.class.to_s; end }
server.mount_proc("/garbage") { |q, a| 300000.times.map { |i| i.to_s * 3 }; GC.start; a.body = GC.count.positive?.to_s }
trap("TERM") { server.shutdown }
server.start
'''


def prepare(t):
    t.write("web.rb", SCRIPT)


def load(m):
    port = m.port[8080]
    m.until(answers_http(port, "/hello"))
    h = Http(port, 120)
    body = os.urandom(300000)
    expect("a post", h.ask("/post", "POST", body)[1].decode(), hashlib.sha256(body).hexdigest())
    expect("a template", h.ask("/erb")[1], b"0,1,4,9,16,")
    expect("a file", h.ask("/file")[1].decode(), hashlib.sha256(b"x" * 100000).hexdigest())
    expect("threads", h.ask("/threads")[1].decode(),
           "[" + ",".join(str(sum(i % (t + 1) for i in range(1, 20001))) for t in range(8)) + "]")
    expect("garbage", h.ask("/garbage")[1], b"true")
    expect("fork", h.ask("/fork")[1], b"Errno::ENOSYS")
    http_load(port, {f"/hello/{i}": (200, b"hello /hello/%d" % i) for i in range(5)}, rounds=5)
