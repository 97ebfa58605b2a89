"""A web server that Debian's OCaml compiles to native code: allocation, exceptions, strings; 8 clients."""
from apps import Http, answers_http, http_load
from case import expect

SOURCE = """
let answer path =
  match path with
  | "/sieve" ->
    let n = 20000 in
    let composite = Array.make (n + 1) false in
    let count = ref 0 in
    for i = 2 to n do
      if not composite.(i) then begin
        incr count;
        let j = ref (i * i) in
        while !j <= n do composite.(!j) <- true; j := !j + i done
      end
    done;
    string_of_int !count
  | "/garbage" ->
    let rec build n = if n = 0 then [] else (string_of_int n) :: build (n - 1) in
    let total = ref 0 in
    for _ = 1 to 50 do total := !total + List.length (build 5000) done;
    Gc.compact (); string_of_int !total
  | "/deep" -> (try let rec f n = 1 + f (n + 1) in string_of_int (f 0) with Stack_overflow -> "overflow")
  | "/divide" -> (try string_of_int (1 / (String.length path - 7)) with Division_by_zero -> "division by zero")
  | _ -> "hello " ^ path

let serve fd =
  let input = Unix.in_channel_of_descr fd and output = Unix.out_channel_of_descr fd in
  (try
    while true do
      let request = input_line input in
      let path = List.nth (String.split_on_char ' ' request) 1 in
      while String.trim (input_line input) <> "" do () done;
      let body = answer path in
      Printf.fprintf output "HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s%!" (String.length body) body
    done
  with End_of_file | Sys_error _ -> ());
  close_out_noerr output

let () =
  let s = Unix.socket Unix.PF_INET Unix.SOCK_STREAM 0 in
  Unix.setsockopt s Unix.SO_REUSEADDR true;
  Unix.bind s (Unix.ADDR_INET (Unix.inet_addr_any, int_of_string Sys.argv.(1)));
  Unix.listen s 64;
  Sys.set_signal Sys.sigpipe Sys.Signal_ignore;
  while true do
    let fd, _ = Unix.accept s in
    ignore (Thread.create serve fd)
  done
"""


def prepare(t):
    t.write("webml.ml", SOURCE)
    t.run("ocamlopt", "-I", "+threads", "unix.cmxa", "threads.cmxa", "-o", "webml", "webml.ml")


def load(m):
    port = m.port[8080]
    m.until(answers_http(port))
    h = Http(port, 60)
    expect("a sieve", h.ask("/sieve")[1], b"2262")
    expect("garbage", h.ask("/garbage")[1], b"250000")
    expect("the stack's end", h.ask("/deep")[1], b"overflow")
    expect("an exception", h.ask("/divide")[1], b"division by zero")
    http_load(port, {f"/{i}": (200, b"hello /%d" % i) for i in range(5)})
