#!/bin/sh
# Copies what can't be built again into one archive: the records, the history of what was published, the settings.
#
#     backup.sh DATA SETTINGS TO      /var/lib/kcc/data /etc/kcc/city.toml /var/backups/kcc
#
# Run it as the user who runs the nights. It waits for a night that is at work, and a night waits for it (`kcc run` says
# that another run is at work); readers notice nothing. Not in it: exports (their owner keeps them), warehouse versions
# and reports (one night makes them), private/ (raw text must not outlive its days), secrets.
set -eu
umask 077
data=$(realpath "$1")
settings=$(realpath "$2")
to=$(realpath "$3")
name="kcc-$(date --utc +%Y%m%dT%H%M%SZ).tar.gz"

history=warehouse/publications
if [ -e "$data/warehouse/rollbacks.jsonl" ]; then # is there since the first rollback
    history="$history warehouse/rollbacks.jsonl"
fi
# what a backup left that could not end
rm -f "$to"/.kcc-*.partial
# a shared lock: for `kcc status` no night is at work
# shellcheck disable=SC2086 # two words
flock --shared --timeout 7200 "$data/.night.lock" tar --create --gzip --file "$to/.$name.partial" \
    --exclude=.spill --exclude=unfinished \
    --directory "$data" records $history \
    --directory "$(dirname "$settings")" --transform "s,^$(basename "$settings")\$,settings.toml," "$(basename "$settings")"
sync "$to/.$name.partial"
mv "$to/.$name.partial" "$to/$name"
echo "$to/$name"

# the last thirty
ls -1 "$to"/kcc-*.tar.gz | head -n -30 | xargs -r rm --
