"""MariaDB under an SQL load: eight connections insert, transfer in transactions, join; the sums are right at the end."""
import subprocess

from apps import client, together
from case import Failure, expect

CONNECTIONS, ROUNDS, ACCOUNTS = 8, 25, 40


def prepare(t):
    t.run("mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={t.file('mysql')}", "--skip-test-db",
          "--auth-root-authentication-method=normal", "--innodb-log-file-size=8M", "--skip-name-resolve")
    t.write("init.sql", "create database if not exists load_db;\ncreate user if not exists loader@'%' identified by 'secret';\n"
            "grant all on load_db.* to loader@'%';\n")


def sql(m, script, timeout=300):
    """The rows of all statements, as the client prints them."""
    path = m.case.path("statements.sql")
    p = subprocess.run(["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{m.port[3306]}", "-uloader", "-psecret", "-N", "-B",
                        "--connect-timeout=10", "load_db"], input=script.encode(), capture_output=True, timeout=timeout)
    if p.returncode:
        raise ConnectionError(p.stderr.decode(errors="replace")[-500:])
    return p.stdout.decode().split("\n")[:-1]


def worker(id):
    """One connection's statements: inserts, updates by key, a transfer between two accounts, a read that joins."""
    out = [f"prepare put from 'insert into event(account, worker, text) values(?, {id}, repeat(?, 50))';"]
    for i in range(ROUNDS):
        a, b = (id * 7 + i) % ACCOUNTS + 1, (id * 3 + i * 5 + 1) % ACCOUNTS + 1
        low, high = min(a, b), max(a, b)
        out.append(f"set @a = {a}, @t = 'x{i}'; execute put using @a, @t;")
        out.append(f"begin; update account set balance = balance - 1 where id = {low};"
                   f"update account set balance = balance + 1 where id = {high}; commit;" if low != high else "")
        if i % 5 == 0:
            out.append("begin; insert into event(account, worker, text) values(1, 99, 'undone'); rollback;")
    out.append(f"select count(*) from event e join account a on a.id = e.account where e.worker = {id};")
    return "\n".join(out)


def load(m):
    m.until(lambda: sql(m, "select 1", 60))
    sql(m, f"""create table account(id int primary key, balance int not null) engine=InnoDB;
        create table event(id int auto_increment primary key, account int not null, worker int, text varchar(200),
            key(account), key(worker), foreign key(account) references account(id)) engine=InnoDB;
        insert into account select seq, 1000 from seq_1_to_{ACCOUNTS};""")

    def run(id):
        expect("rows of the worker", sql(m, worker(id)), [str(ROUNDS)])
    together(CONNECTIONS, run)
    expect("sum of balances, events", sql(m, "select sum(balance) from account; select count(*), sum(length(text)) from event;"),
           [str(1000 * ACCOUNTS), f"{CONNECTIONS * ROUNDS}\t{CONNECTIONS * sum(50 * len(f'x{i}') for i in range(ROUNDS))}"])
    expect("a join", sql(m, "select count(distinct a.id), max(e.id) >= 200 from account a left join event e on e.account = a.id "
                            "where a.balance > 0;"), [f"{ACCOUNTS}\t1"])
    expect("a window and an index", sql(m, "select max(n) from (select row_number() over (partition by worker order by id) n "
                                           "from event force index(worker)) x;"), [str(ROUNDS)])
    expect("check table", sql(m, "check table account, event extended;"),
           ["load_db.account\tcheck\tstatus\tOK", "load_db.event\tcheck\tstatus\tOK"])
    expect("MyISAM and Aria", sql(m, "create table y(a int, fulltext(b), b text) engine=MyISAM; insert into y values(1, 'some words'); "
                                     "create table z engine=Aria select seq from seq_1_to_1000; select sum(seq) from z; "
                                     "select count(*) from y where match(b) against('words' in boolean mode);"), ["500500", "1"])
    m.stop(60)
    if "Shutdown complete" not in m.text():
        raise Failure("no orderly end after SIGTERM", m.text()[-2000:])
