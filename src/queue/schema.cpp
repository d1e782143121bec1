#include "queue/schema.h"

#include <array>

namespace tessera {
namespace {

constexpr auto kMigrations = std::to_array<const char*>({
    R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('incarnation', 0);

CREATE TABLE job (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    state INTEGER NOT NULL,
    submitted INTEGER NOT NULL,
    started INTEGER,
    ended INTEGER,
    idempotency_key TEXT,
    body_hash TEXT NOT NULL,
    client_tag TEXT,
    init TEXT,
    mask TEXT,
    plan BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX job_by_key ON job (tenant, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_by_tenant ON job (tenant, id);
CREATE INDEX job_by_tag ON job (client_tag, id) WHERE client_tag IS NOT NULL;
CREATE INDEX job_by_state ON job (state, id);
CREATE INDEX job_by_end ON job (ended, id) WHERE ended IS NOT NULL;

CREATE TABLE task (
    job INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    attempt_end INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    own_failures INTEGER NOT NULL,
    infrastructure_losses INTEGER NOT NULL,
    worker TEXT NOT NULL,
    failed_on BLOB NOT NULL,
    started INTEGER,
    ended INTEGER,
    pause_ends INTEGER,
    checkpoint BLOB,
    checkpoint_object TEXT,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE result (
    job INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    task INTEGER NOT NULL,
    object TEXT NOT NULL,
    result BLOB NOT NULL,
    UNIQUE (job, task)
) STRICT;

CREATE TABLE failure (
    job INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    task INTEGER NOT NULL,
    number INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    worker TEXT NOT NULL,
    time INTEGER NOT NULL,
    failure BLOB NOT NULL,
    UNIQUE (job, task, number)
) STRICT;
)sql",
});

}  // namespace

std::span<const char* const> schema_migrations() {
    return kMigrations;
}

std::int64_t schema_version() {
    return static_cast<std::int64_t>(kMigrations.size());
}

}  // namespace tessera
