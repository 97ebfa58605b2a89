"""Debian's sqlite3 in the overlay: WAL mode, 10,000 inserts, queries, integrity_check; as on Linux."""

SCRIPT = """
pragma journal_mode=wal;
create table t(id integer primary key, a integer, b text);
create index t_a on t(a);
.once /dev/null
pragma synchronous=full;
begin; insert into t(a, b) values(-1, 'rolled back'); rollback;
""" + "".join(f"insert into t(a, b) values({i * 7919 % 1000}, 'value {i}');\n" for i in range(100)) + """
begin;
with recursive n(i) as (values(100) union all select i + 1 from n where i < 9999)
  insert into t(a, b) select i * 7919 % 1000, 'value ' || i from n;
commit;
select count(*), sum(a), max(length(b)) from t;
select a, count(*) from t group by a order by 2 desc, 1 limit 5;
update t set b = upper(b) where a % 3 = 0;
delete from t where a between 100 and 199;
select count(*), sum(id) from t;
select b from t where a = 5 order by id limit 3;
pragma wal_checkpoint(truncate);
vacuum;
pragma integrity_check;
attach 'second.db' as second;
create table second.u as select * from t where a < 10;
select count(*) from second.u;
select printf('%.10f', avg(a)) from t;
"""


def prepare(t):
    t.write("script.sql", SCRIPT)
