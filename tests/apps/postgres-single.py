"""postgres --single with a script on its standard input: tables, an index, a transaction, joins; as on Linux."""
import os
import re

SCRIPT = """create table t(id int primary key, a int, b text);
insert into t select i, i * 7919 % 1000, 'value ' || i from generate_series(1, 5000) i;
create index on t(a);
begin;
delete from t where a < 100;
rollback;
update t set b = upper(b) where a % 3 = 0;
select count(*), sum(a), max(length(b)) from t;
select x.a, count(*) from t x join t y on x.a = y.a where x.a < 3 group by x.a order by x.a;
create function f(int) returns int language plpgsql as 'begin return $1 * 2; end';
select f(21);
select count(*) from pg_class where relname = 't';
checkpoint;
vacuum analyze t;
select md5(string_agg(b, ',' order by id)) from t;
select 1 / 0;
select to_char(timestamp '2024-02-29 12:00', 'Day DDD');
"""


def prepare(t):
    os.chmod(t.path, 0o777)
    t.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent",
          "/usr/lib/postgresql/15/bin/initdb", "-D", "pg", "--no-sync", "-A", "trust", "--locale=C.UTF-8")
    t.write("stdin", "\n".join(line + "\n" for line in SCRIPT.splitlines()))


def same(text):
    """Without the times and process numbers of its log."""
    text = re.sub(rb"(checkpoint complete: .*?);.*", rb"\1", text)
    return re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+ \[\d+\]", b"TIME", text)
