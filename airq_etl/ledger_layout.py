"""The tables of the ledger that hold runs, what became wrong, and what backfills still want, or were not given."""

RUN_TABLES = """
create table if not exists runs (
    run_id text primary key, command text not null, started_at text not null, ended_at text,
    state text not null, exit_code integer, message text, pid integer not null, version text not null,
    duration_s real, host text, settings text, mirrored_to text);
create table if not exists steps (
    run_id text not null, step text not null, started_at text, ended_at text, state text not null,
    message text, counts text, duration_s real, primary key (run_id, step));
create table if not exists station_steps (
    run_id text not null, step text not null, station_id integer not null, state text not null, duration_s real,
    message text not null default '', counts text not null default '{}',
    primary key (run_id, step, station_id)) without rowid;
create table if not exists alerts (
    kind text not null, station_id integer, subject text not null, severity text not null, since text not null,
    sentence text not null, action text not null, opened_at text not null, run_id text not null,
    told_at text, told_as text, cleared_at text);
create index if not exists alerts_identity on alerts (kind, station_id, subject);
"""
ANSWER_TABLES = """
create table if not exists wanted (
    station_id integer, first text, last text, primary key (station_id, first, last)) without rowid;
create table if not exists not_given (
    station_id integer, first text, last text, asked_at text not null,
    primary key (station_id, first, last)) without rowid;
"""
# What layouts before 4 had, which lacked these columns and let no step wait.
UPGRADE = """
alter table runs add column duration_s real;
alter table runs add column host text;
alter table runs add column settings text;
alter table runs add column mirrored_to text;
alter table steps rename to steps_before;
create table steps (
    run_id text not null, step text not null, started_at text, ended_at text, state text not null,
    message text, counts text, duration_s real, primary key (run_id, step));
insert into steps (run_id, step, started_at, ended_at, state, message, counts)
    select run_id, step, started_at, ended_at, state, message, counts from steps_before order by rowid;
drop table steps_before;
"""
