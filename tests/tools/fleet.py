"""Many instances of a small web server in the background: all answer, all stop, nothing is left."""
import concurrent.futures
import http.client

from case import Case, Failure, expect
from instances import Instances, compile_server, free_ports, until


def ask(port):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        c.request("GET", "/")
        return c.getresponse().read().decode()
    except http.client.HTTPException as e:
        raise OSError(str(e)) from e
    finally:
        c.close()


def fleet(case, n):
    program = compile_server(case)
    with Instances(case) as all_of_them:
        ports = {f"web-{i}": port for i, port in enumerate(free_ports(n))}

        def start(name):
            return all_of_them.run(name, program, name, "8080", memory="12M",
                                   options=["-p", f"127.0.0.1:{ports[name]}:8080", "--label", "fleet=yes"])
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            expect("the names printed", sorted(pool.map(start, ports)), sorted(ports))
        expect("those that run", sorted(all_of_them.names("--filter", "label=fleet=yes")), sorted(ports))
        for name, port in ports.items():
            expect("the answer", until(f"{name} answers", lambda port=port: ask(port), 60), name)
        all_of_them("stop", "-t", "20", *ports, timeout=600)
        expect("those that run after the stop", all_of_them.names(), [])
        for name in ports:
            if all_of_them.state(name)["ending"]["reason"] not in ("signal", "killed"):
                raise Failure(f"{name} ended in another way", str(all_of_them.state(name)))
        expect("those forgotten", sorted(all_of_them("prune").split()), sorted(ports))
        all_of_them.nothing_left()


def cases(name):
    return [Case(f"{name}/6", lambda case: fleet(case, 6), 120),
            Case(f"{name}/100", lambda case: fleet(case, 100), 1200, slow=True)]
