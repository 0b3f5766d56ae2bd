internal import GRDB

/// The schema, as the steps that lead to it. A step that was released is never changed.
enum Migrations {
  static var all: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { db in
      try db.execute(
        sql: """
          CREATE TABLE devices (
            name TEXT PRIMARY KEY NOT NULL,
            description TEXT NOT NULL,
            created TEXT NOT NULL,
            updated TEXT NOT NULL
          );
          CREATE TABLE samples (
            id TEXT NOT NULL,
            space TEXT NOT NULL,
            network TEXT NOT NULL,
            device TEXT NOT NULL,
            conditions TEXT NOT NULL,
            latency_ms REAL NOT NULL CHECK (latency_ms > 0),
            p10_ms REAL,
            p90_ms REAL,
            repeats INTEGER,
            warmup INTEGER,
            slowdown REAL,
            stable INTEGER,
            runtime TEXT,
            runtime_version TEXT,
            threads INTEGER,
            batch INTEGER,
            precision TEXT,
            optimization TEXT,
            cpu TEXT,
            date TEXT,
            settings TEXT,
            UNIQUE (device, conditions, network)
          );
          CREATE INDEX samples_by_space ON samples (device, space);
          CREATE TABLE studies (
            id TEXT PRIMARY KEY NOT NULL,
            space TEXT NOT NULL,
            device TEXT NOT NULL,
            searcher TEXT NOT NULL,
            seed INTEGER NOT NULL,
            options TEXT NOT NULL,
            status TEXT NOT NULL,
            state BLOB,
            created TEXT NOT NULL,
            updated TEXT NOT NULL
          );
          CREATE TABLE trials (
            study TEXT NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            architecture TEXT NOT NULL,
            result TEXT NOT NULL,
            PRIMARY KEY (study, number)
          ) WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("2") { db in
      try db.execute(
        sql: """
          CREATE TABLE evaluations (
            id TEXT NOT NULL,
            checkpoint TEXT NOT NULL,
            conditions TEXT NOT NULL,
            accuracy REAL NOT NULL,
            images INTEGER NOT NULL,
            date TEXT NOT NULL,
            PRIMARY KEY (checkpoint, conditions, id)
          ) WITHOUT ROWID;
          """)
    }
    return migrator
  }
}
