/**
 * Shell lines that take away what starts services again after a reboot or a crash: unit files `edgesmith-*.service` and lines of the
 * crontab that name the folder in `$root`. The agent there does the same when it removes a service; this is for one that cannot.
 * `left=UNIT` for a system unit that needs a password.
 */
export const forgetTracesLines = `names_root() { case $(cat "$1" 2>/dev/null) in *"$root/"*) return 0;; esac; return 1; }
[ -n "$XDG_RUNTIME_DIR" ] || { XDG_RUNTIME_DIR=/run/user/$(id -u); export XDG_RUNTIME_DIR; }
for u in "\${XDG_CONFIG_HOME:-$HOME/.config}"/systemd/user/edgesmith-*.service; do
  [ -f "$u" ] && names_root "$u" || continue
  systemctl --user disable --now "\${u##*/}" >/dev/null 2>&1
  rm -f "$u" "\${u%/*}"/*.wants/"\${u##*/}"
  systemctl --user daemon-reload >/dev/null 2>&1
  d=\${u%/*}
  rmdir "$d/default.target.wants" "$d" "\${d%/*}" "\${d%/*/*}" 2>/dev/null
done
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
for u in /etc/systemd/system/edgesmith-*.service; do
  [ -f "$u" ] && names_root "$u" || continue
  as_root systemctl disable --now "\${u##*/}" >/dev/null 2>&1
  as_root rm -f "$u" /etc/systemd/system/*.wants/"\${u##*/}" >/dev/null 2>&1 || echo "left=$u"
  as_root systemctl daemon-reload >/dev/null 2>&1
done
# Turned on for services of ours; the user had it off.
[ -e "$root/linger-turned-on" ] && { loginctl disable-linger "$(id -un)" >/dev/null 2>&1; rm -f "$root/linger-turned-on"; }
if command -v crontab >/dev/null 2>&1; then
  lines=$(crontab -l 2>/dev/null)
  case $lines in *"# edgesmith $root/"*)
    kept=$(printf '%s\\n' "$lines" | while IFS= read -r l; do case $l in *"# edgesmith $root/"*) ;; *) printf '%s\\n' "$l";; esac; done)
    if [ -n "$kept" ]; then printf '%s\\n' "$kept" | crontab -; else crontab -r; fi;;
  esac
fi
`
