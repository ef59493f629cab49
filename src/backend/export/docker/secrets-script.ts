/** Makes the token and Grafana's password. The folder is for its owner alone; containers run as other users and must be able to read the files in it. */
export const secretsScript = `#!/bin/sh
# Makes secrets/token and secrets/grafana-password unless they are there.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
for name in token grafana-password; do
  [ -s "secrets/$name" ] && continue
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' > "secrets/$name.part"
  chmod 444 "secrets/$name.part"
  mv "secrets/$name.part" "secrets/$name"
  echo "made secrets/$name"
done
`
