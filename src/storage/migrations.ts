/**
 * Forward-only migrations: entry n brings a database from `user_version` n to n + 1. Never edit one that was released;
 * append. Each is tested from a stored database of the version before (tests/storage/database.test.ts).
 * JSON columns hold the shapes of the contract's schemas and are checked when they are read.
 */
export const migrations: readonly string[] = [
  `
  create table models (
    id text primary key,
    name text not null unique,
    kind text not null check (kind in ('model', 'build')),
    sha256 text not null,
    size_bytes integer not null,
    created_at text not null,
    report text not null,
    parent_id text references models (id),
    recipe text,
    target text,
    summary text,
    source text
  ) strict;
  create unique index models_imported on models (sha256) where kind = 'model';
  create index models_parent on models (parent_id);

  create table datasets (
    id text primary key,
    name text not null unique,
    format text not null,
    files text not null,
    preprocessing text not null,
    report text not null,
    created_at text not null,
    source text
  ) strict;

  create table jobs (
    id text primary key,
    kind text not null,
    title text not null,
    state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    progress text,
    error text,
    result text,
    waiting_for text,
    cancel_requested integer not null default 0,
    owner text not null,
    engine_pid integer,
    created_at text not null,
    started_at text,
    finished_at text
  ) strict;
  create index jobs_state on jobs (state);

  create table job_log (
    job_id text not null references jobs (id) on delete cascade,
    sequence integer not null,
    at text not null,
    text text not null,
    primary key (job_id, sequence)
  ) strict, without rowid;

  -- One queue for each machine; a row is a job that holds the machine or waits for it, in the order of its ticket.
  create table leases (
    ticket integer primary key autoincrement,
    machine text not null,
    mode text not null check (mode in ('exclusive', 'shared')),
    job_id text not null,
    owner text not null
  ) strict;

  create table devices (
    id text primary key,
    name text not null unique,
    connection text,
    host_key text,
    report text,
    agent_version text,
    created_at text not null
  ) strict;

  create table benchmarks (
    id text primary key,
    job_id text not null,
    model_id text not null references models (id),
    device_id text not null,
    comparison_id text,
    created_at text not null,
    result text not null,
    -- float32 little-endian milliseconds, every sample in order
    latencies blob not null
  ) strict;
  create index benchmarks_model on benchmarks (model_id);

  create table evaluations (
    id text primary key,
    job_id text not null,
    model_id text not null references models (id),
    dataset_id text not null references datasets (id),
    dataset_name text not null,
    device_id text not null,
    comparison_id text,
    created_at text not null,
    result text not null,
    -- int32 little-endian class indices, in the order of the dataset
    predictions blob not null,
    labels blob not null
  ) strict;
  create index evaluations_model on evaluations (model_id);

  create table comparisons (
    id text primary key,
    job_id text not null,
    created_at text not null,
    comparison text not null
  ) strict;

  create table deployments (
    id text primary key,
    service text not null,
    device_id text not null references devices (id),
    model_id text not null references models (id),
    port integer not null,
    preprocessing text not null,
    state text not null,
    created_at text not null,
    unique (device_id, service)
  ) strict;
  `,
  `
  -- A split shares the files of its parent and has rows of its own.
  alter table datasets add column parent_id text references datasets (id);
  alter table datasets add column split text;
  alter table datasets add column columns text;
  alter table datasets add column class_names text;

  alter table benchmarks add column sweep_id text;
  -- float64 little-endian milliseconds since the first sample, one for each latency; null in rows of version 1
  alter table benchmarks add column offsets blob;
  create index benchmarks_sweep on benchmarks (sweep_id);

  -- One value (or several) for each sample of the dataset, in its order, little-endian.
  create table evaluation_arrays (
    evaluation_id text not null references evaluations (id) on delete cascade,
    name text not null,
    type text not null check (type in ('float32', 'int32')),
    sample_values blob not null,
    primary key (evaluation_id, name)
  ) strict, without rowid;
  insert into evaluation_arrays select id, 'predictions', 'int32', predictions from evaluations;
  insert into evaluation_arrays select id, 'labels', 'int32', labels from evaluations;
  alter table evaluations drop column predictions;
  alter table evaluations drop column labels;

  -- Profiles, layer comparisons, explanations.
  create table analyses (
    id text primary key,
    kind text not null check (kind in ('profile', 'layers', 'slowdown', 'accuracy')),
    job_id text not null,
    model_id text not null references models (id),
    baseline_id text references models (id),
    dataset_id text references datasets (id),
    device_id text not null,
    created_at text not null,
    result text not null
  ) strict;
  create index analyses_model on analyses (model_id);

  create table reports (
    id text primary key,
    title text not null,
    origin text not null check (origin in ('written', 'imported')),
    path text,
    created_at text not null,
    document text not null
  ) strict;
  `,
  `
  -- JSON of how the machine was during the run; null in rows before version 3 and where nothing could be read
  alter table benchmarks add column telemetry text;

  -- A kind more: a check constraint cannot be changed in place.
  create table analyses_3 (
    id text primary key,
    kind text not null check (kind in ('profile', 'layers', 'slowdown', 'accuracy', 'parity')),
    job_id text not null,
    model_id text not null references models (id),
    baseline_id text references models (id),
    dataset_id text references datasets (id),
    device_id text not null,
    created_at text not null,
    result text not null
  ) strict;
  insert into analyses_3 select * from analyses;
  drop table analyses;
  alter table analyses_3 rename to analyses;
  create index analyses_model on analyses (model_id);

  -- Builds by devices.
  create table matrices (
    id text primary key,
    job_id text not null,
    created_at text not null,
    matrix text not null
  ) strict;
  `,
  `
  -- Null in rows of services that were deployed before version 4.
  alter table deployments add column release text;
  alter table deployments add column settings text;
  alter table deployments add column supervision text;
  alter table deployments add column survives_reboot integer check (survives_reboot in (0, 1));
  -- Not a reference: the dataset may be removed.
  alter table deployments add column dataset_id text;

  create table validations (
    id text primary key,
    job_id text not null,
    deployment_id text not null,
    created_at text not null,
    validation text not null
  ) strict;
  create index validations_deployment on validations (deployment_id);
  `,
]
