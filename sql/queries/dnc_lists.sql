-- Do-not-call lists as a whole: which there are, what they say of a number, and files of them loaded. Single entries: do_not_call.sql.

-- name: declared_lists
-- The lists that files declare, and how old each may be, in seconds; NULL = any.
SELECT name, (definition ->> 'stale_after_s')::float8, definition ->> 'title' FROM definitions WHERE kind = 'dnc_lists' ORDER BY name;

-- name: list_figures
-- Every list with entries or imports: numbers, prefixes, when an entry came last, and its last import.
WITH numbers AS (
    SELECT list, count(*) FROM do_not_call GROUP BY list
),
prefixes AS (
    SELECT list, count(*) FROM do_not_call_prefixes GROUP BY list
),
names AS (
    SELECT list FROM numbers
    UNION SELECT list FROM prefixes
    UNION SELECT list FROM do_not_call_imports
)
SELECT names.list, coalesce(numbers.count, 0), coalesce(prefixes.count, 0), last.file, extract(epoch FROM last.at)::float8, last.who
FROM names
LEFT JOIN numbers ON numbers.list = names.list
LEFT JOIN prefixes ON prefixes.list = names.list
LEFT JOIN LATERAL (
    SELECT file, at, who FROM do_not_call_imports WHERE do_not_call_imports.list = names.list ORDER BY at DESC, id DESC LIMIT 1
) AS last ON true
ORDER BY names.list;

-- name: list_entries
-- A page of one list's entries, in the order of numbers; a prefix ends with a star.
SELECT number, list, reason, added_by, extract(epoch FROM added_at)::float8
FROM (
    SELECT number, list, reason, added_by, added_at FROM do_not_call WHERE list = %(list)s AND number > %(after)s
    UNION ALL
    SELECT prefix || '*', list, reason, added_by, added_at FROM do_not_call_prefixes WHERE list = %(list)s AND prefix || '*' > %(after)s
) AS entries
ORDER BY number
LIMIT %(limit)s;

-- name: entries_of_number
-- Every entry that forbids a number.
SELECT number, list, reason, added_by, extract(epoch FROM added_at)::float8 FROM do_not_call WHERE do_not_call.number = %(number)s
UNION ALL
SELECT prefix || '*', list, reason, added_by, extract(epoch FROM added_at)::float8 FROM do_not_call_prefixes WHERE starts_with(%(number)s, prefix)
ORDER BY 2, 1;

-- name: entries_would_forbid
-- What numbers and prefixes would do on a list: how many are new on it, how many open leads they forbid, and of how many campaigns. Reads all leads.
WITH forbidden AS (
    SELECT id, campaign FROM leads WHERE status IN ('new', 'in_progress', 'retry', 'callback_scheduled') AND number = ANY (%(numbers)s::text[])
    UNION
    SELECT id, campaign FROM leads
    WHERE status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
      AND EXISTS (SELECT FROM unnest(%(prefixes)s::text[]) AS given (prefix) WHERE starts_with(leads.number, given.prefix))
)
SELECT (SELECT count(*) FROM unnest(%(numbers)s::text[]) AS given (number)
        WHERE NOT EXISTS (SELECT FROM do_not_call WHERE do_not_call.number = given.number AND list = %(list)s))
     + (SELECT count(*) FROM unnest(%(prefixes)s::text[]) AS given (prefix)
        WHERE NOT EXISTS (SELECT FROM do_not_call_prefixes WHERE do_not_call_prefixes.prefix = given.prefix AND list = %(list)s)),
       (SELECT count(*) FROM forbidden),
       (SELECT count(DISTINCT campaign) FROM forbidden);

-- name: marks_of_number
-- Who must leave a number alone, and until when; '' = every campaign.
SELECT campaign, extract(epoch FROM until)::float8, reason, added_by, extract(epoch FROM added_at)::float8 FROM no_callback
WHERE no_callback.number = %(number)s AND until > now() ORDER BY campaign;

-- name: leads_of_number
-- Its leads.
SELECT id, campaign, status FROM leads WHERE leads.number = %(number)s ORDER BY id;

-- --- a file of them

-- name: begin_list_import
-- One import of a list at a time, without a time limit. The last import of the same file into it, or no row.
SET LOCAL statement_timeout = 0;
SELECT pg_advisory_xact_lock(hashtextextended('do_not_call ' || %(list)s::text, 7382354617959212407));
CREATE TEMP TABLE listed (number text NOT NULL) ON COMMIT DROP;
SELECT extract(epoch FROM at)::float8 FROM do_not_call_imports WHERE list = %(list)s AND hash = %(hash)s ORDER BY at DESC LIMIT 1;

-- name: copy_listed
-- Numbers from the client, in the text form of COPY.
COPY listed (number) FROM STDIN;

-- name: compare_listed
-- What the file and the list have not in common. Returns how many numbers the file has, each once; how many of them are new on the list; how many of the
-- list's it does not have, and how many the list has.
CREATE TEMP TABLE joining_list ON COMMIT DROP AS
SELECT DISTINCT number FROM listed EXCEPT SELECT number FROM do_not_call WHERE list = %(list)s;
CREATE TEMP TABLE leaving_list ON COMMIT DROP AS
SELECT number FROM do_not_call WHERE list = %(list)s AND %(replace)s EXCEPT SELECT number FROM listed;
ANALYZE joining_list;
ANALYZE leaving_list;
SELECT (SELECT count(DISTINCT number) FROM listed), (SELECT count(*) FROM joining_list), (SELECT count(*) FROM leaving_list),
       (SELECT count(*) FROM do_not_call WHERE list = %(list)s);

-- name: merge_listed
-- Put the file's numbers on the list, take off those that left it, block leads and let others return as the single commands do (do_not_call.sql). Leads are
-- locked first, in the order of ids. Returns how many leads were blocked, and how many returned.
CREATE TEMP TABLE touched ON COMMIT DROP AS
SELECT leads.id FROM leads JOIN joining_list ON joining_list.number = leads.number WHERE leads.status IN ('new', 'in_progress', 'retry', 'callback_scheduled')
UNION ALL
SELECT leads.id FROM leads JOIN leaving_list ON leaving_list.number = leads.number WHERE leads.status = 'blocked';
SELECT FROM leads JOIN touched ON touched.id = leads.id ORDER BY leads.id FOR NO KEY UPDATE OF leads;
WITH added AS (
    INSERT INTO do_not_call (number, list, reason, added_by)
    SELECT number, %(list)s, %(reason)s, %(who)s FROM joining_list ORDER BY number
    ON CONFLICT DO NOTHING
),
removed AS (
    DELETE FROM do_not_call USING leaving_list WHERE do_not_call.number = leaving_list.number AND do_not_call.list = %(list)s
),
blocked AS (
    UPDATE leads SET status = 'blocked', held_by = 'do_not_call',
        claimed_epoch = CASE WHEN status = 'in_progress' THEN claimed_epoch END, claimed_batch = CASE WHEN status = 'in_progress' THEN claimed_batch END
    WHERE status IN ('new', 'in_progress', 'retry', 'callback_scheduled') AND number IN (SELECT number FROM joining_list)
    RETURNING id
),
returned AS (
    UPDATE leads
    SET held_by = '',
        status = CASE WHEN EXISTS (SELECT FROM attempts_open WHERE attempts_open.lead = leads.id) THEN 'in_progress'
                      WHEN attempts > 0 THEN 'retry'
                      ELSE 'new' END
    WHERE status = 'blocked' AND number IN (SELECT number FROM leaving_list)
      AND NOT EXISTS (SELECT FROM do_not_call AS other WHERE other.number = leads.number AND other.list <> %(list)s)
      AND NOT EXISTS (SELECT FROM do_not_call_prefixes WHERE starts_with(leads.number, prefix))
    RETURNING id
),
kept AS (
    INSERT INTO do_not_call_imports (list, file, hash, added, removed, who)
    SELECT %(list)s, %(file)s, %(hash)s, (SELECT count(*) FROM joining_list), (SELECT count(*) FROM leaving_list), %(who)s
)
SELECT (SELECT count(*) FROM blocked), (SELECT count(*) FROM returned);
