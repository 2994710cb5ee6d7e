-- Identifiers that the database makes where a client gives none.

CREATE OR REPLACE FUNCTION opsdb_uuid7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
-- A new time-ordered UUID (version 7, RFC 9562 section 5.7), as opsdb.database.identifiers.uuid7 makes them: the
-- milliseconds since 1970 in 6 bytes, then the random bytes of a UUID of version 4, with the bits of version 7.
RETURN encode(
    set_bit(
        set_bit(
            substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
            || substring(uuid_send(gen_random_uuid()) FROM 7),
            52, 1
        ),
        53, 1
    ),
    'hex'
)::uuid;
