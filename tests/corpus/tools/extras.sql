-- What the shop does not have and introspection asks for. Run by a superuser after demo/shop.sql; objects are the gateway role's where PostgreSQL lets them.
create extension hstore;
create extension pg_trgm;
create foreign data wrapper nowhere;
create server elsewhere foreign data wrapper nowhere options (host 'elsewhere.example');
create user mapping for interpose_gateway server elsewhere options (password 'mapping-canary');
grant usage on foreign server elsewhere to interpose_gateway;
create publication orders_out for table orders, order_items;
create publication everything for all tables with (publish = 'insert');
create subscription copies connection 'dbname=nowhere password=subscription-canary' publication elsewhere with (connect = false, slot_name = none);
create function noted() returns event_trigger language plpgsql as 'begin end';
create event trigger watched on ddl_command_end execute function noted();
alter table orders alter shipping set default '{}';
create access method heap_again type table handler heap_tableam_handler;
grant create on database :"DBNAME" to interpose_gateway;
alter default privileges for role interpose_gateway in schema public grant select on tables to public;
select lo_create(424242) \g /dev/null
comment on large object 424242 is 'a picture';
alter large object 424242 owner to interpose_gateway;
create conversion latin for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
alter role interpose_gateway in database :"DBNAME" set work_mem = '8MB';

set role interpose_gateway;
create schema stock;
comment on schema stock is 'What is where';
create type size as enum ('small', 'medium', 'large');
create type place as (shelf text, bin integer);
create type span as range (subtype = date);
create domain code as text not null default 'none' constraint code_is_short check (length(value) < 20);
comment on type size is 'How big a parcel is';
comment on domain code is 'A short code';
create collation german (provider = libc, locale = 'C');
create sequence stock.numbers increment 5 minvalue 10 maxvalue 100000 start 20 cycle;
create table stock.shelves (
    id        integer generated always as identity,
    code      code unique,
    size      size not null default 'medium',
    spot      place,
    validity  span,
    weights   numeric(8, 2)[],
    labels    hstore,
    doc       jsonb,
    raw       bytea,
    label     varchar(40) collate german,
    title     text generated always as (upper(code)) stored,
    seen      timestamp(3) default now(),
    token     uuid default gen_random_uuid(),
    address   inet,
    active    boolean not null default true,
    constraint shelves_pkey primary key (id) include (size),
    constraint code_again check (code <> ''),
    exclude using gist (validity with operator(pg_catalog.&&))
);
comment on table stock.shelves is 'Where things are';
comment on column stock.shelves.code is 'Printed on the shelf';
comment on constraint code_again on stock.shelves is 'Never empty';
create index shelves_lower on stock.shelves (lower(label) desc nulls last) where active;
create index shelves_doc on stock.shelves using gin (doc jsonb_path_ops);
create statistics stock.shelves_stats (dependencies, mcv) on size, active from stock.shelves;
create table stock.moves (
    id bigserial, shelf integer references stock.shelves on update cascade on delete set null deferrable initially deferred,
    product bigint references public.products, moved date not null, quantity integer,
    primary key (id, moved)
) partition by range (moved);
create table stock.moves_2025 partition of stock.moves for values from ('2025-01-01') to ('2026-01-01');
create table stock.moves_rest partition of stock.moves default;
create table stock.parent (a integer, b text);
create table stock.child (c integer) inherits (stock.parent);
create view stock.full_shelves as select id, code, size from stock.shelves where active with check option;
create materialized view stock.per_size as select size, count(*) as n from stock.shelves group by size;
create unique index per_size_key on stock.per_size (size);
create foreign table stock.remote (id integer options (name 'ident'), v text) server elsewhere options (file 'x');
create function stock.shelf_count(at_least integer default 0, variadic names text[] default '{}') returns bigint
    language sql stable as 'select count(*) from stock.shelves where id >= at_least';
create procedure stock.tidy(inout n integer) language plpgsql as 'begin n := n + 1; end';
create function stock.touch() returns trigger language plpgsql as 'begin return new; end';
create trigger shelves_touch before update on stock.shelves for each row when (old.code is distinct from new.code) execute function stock.touch();
create aggregate stock.longest (text) (sfunc = textcat, stype = text);
create operator stock.=== (leftarg = integer, rightarg = integer, function = int4eq);
create cast (text as size) with inout as assignment;
create text search dictionary stock.plain (template = simple);
create text search configuration stock.words (copy = simple);
create rule quiet as on delete to stock.parent do instead nothing;
alter table stock.shelves enable row level security;
create policy active_only on stock.shelves for select using (active);
grant select (id, code), update (code) on stock.shelves to public;
insert into stock.shelves (code, size, spot, validity, weights, labels, doc, raw, label, address)
values ('A1', 'small', row('A', 1), '[2025-01-01,2025-02-01)', '{1.5,2}', 'a=>1', '{"k": [1, 2]}', '\x0102', 'Ärger', '10.0.0.1'),
       ('B2', 'large', null, '[2025-03-01,2025-04-01)', null, null, null, null, null, null);
insert into stock.moves (shelf, product, moved, quantity) values (1, 1, '2025-05-05', 3), (1, 2, '2026-05-05', 4);
insert into stock.parent values (1, 'x');
refresh materialized view stock.per_size;
create table stock."Mixed Case" ("Id" integer primary key, "select" text);
reset role;
analyze;
