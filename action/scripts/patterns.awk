# The lines of the input tests (in the environment) as items: a line is one; with
# * ? [ or { it is a glob over the files on standard input, as the binary reads
# it; with ! in front it leaves items out. Fails where a glob matches no file.

function clean(p) {
  gsub(/\/\/+/, "/", p)
  while (p ~ /^\.\//) p = substr(p, 3)
  sub(/\/$/, "", p)
  return p
}

# regex gives the extended regular expression of a glob.
function regex(p,    i, c, out, open, end) {
  out = "^"
  for (i = 1; i <= length(p); i++) {
    c = substr(p, i, 1)
    if (c == "*") {
      if (substr(p, i, 2) == "**" && (i == 1 || substr(p, i - 1, 1) == "/") && (i + 2 > length(p) || substr(p, i + 2, 1) == "/")) {
        if (i + 2 > length(p)) { out = out ".*"; i += 1 } else { out = out "(.*/)?"; i += 2 }
      } else {
        while (substr(p, i + 1, 1) == "*") i++
        out = out "[^/]*"
      }
    } else if (c == "?") {
      out = out "[^/]"
    } else if (c == "[" && (end = index(substr(p, i + 2), "]")) > 0) {
      c = substr(p, i + 1, end)
      if (c ~ /^[!^]/) c = "^/" substr(c, 2)
      out = out "[" c "]"
      i += end + 1
    } else if (c == "{") {
      open++
      out = out "("
    } else if (c == "," && open) {
      out = out "|"
    } else if (c == "}" && open) {
      open--
      out = out ")"
    } else {
      if (c == "\\" && i < length(p)) { i++; c = substr(p, i, 1) }
      if (index("\\.+*?()|^$[]{}", c)) c = "[" c "]"
      if (c == "[^]") c = "\\^"
      if (c == "[\\]") c = "[\\\\]"
      out = out c
    }
  }
  return out "$"
}

function add(item,    i) {
  for (i = 1; i <= out; i++) if (item ~ without[i]) return
  print item
}

BEGIN {
  n = split(ENVIRON["INPUT_TESTS"], lines, "\n")
  for (i = 1; i <= n; i++) {
    line = lines[i]
    gsub(/^[ \t\r]+|[ \t\r]+$/, "", line)
    if (line == "") continue
    if (line ~ /^!/) without[++out] = regex(clean(substr(line, 2)))
    else if (line ~ /[*?{]|\[/) { globs[++wanted] = regex(clean(line)); said[wanted] = line }
    else plain[++kept] = line
  }
}

{
  sub(/^\.\//, "")
  for (i = 1; i <= wanted; i++) if ($0 ~ globs[i]) { hit[i] = 1; add($0) }
}

END {
  for (i = 1; i <= wanted; i++) if (!(i in hit)) {
    print "Mainstay: pattern " said[i] " matches no file" > "/dev/stderr"
    exit 1
  }
  for (i = 1; i <= kept; i++) add(plain[i])
}
