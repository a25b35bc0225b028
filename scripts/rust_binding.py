# SPDX-License-Identifier: Apache-2.0
"""Makes the Rust binding of the plugin headers.

    rust_binding.py write            writes Plugins/SDK/rust/trove_plugin.rs
    rust_binding.py check            fails if that file is not what the headers give
    rust_binding.py layouts FOLDER   writes layouts.c and layouts.rs there: programs that print every size, alignment,
                                     offset and constant, of the headers and of the binding

The headers are regular on purpose, so a small reader is enough; anything it does not know is an error, never skipped.
Names that Rust reserves get a '_' at the end. Function pointers are Option, so None is NULL.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = ROOT / "Sources/CTrovePlugin/include"
TARGET = ROOT / "Plugins/SDK/rust/trove_plugin.rs"
ORDER = ["trove_plugin.h", "trove_stream.h", "trove_services.h", "trove_datastore.h", "trove_datastore_policy.h",
         "trove_backup.h", "trove_api_extension.h", "trove_actions.h", "trove_module_driver.h", "trove_rpc_peer.h",
         "draft/trove_replication.h", "draft/trove_cluster.h", "draft/trove_tls.h"]
SCALARS = {"int32_t": "i32", "uint32_t": "u32", "int64_t": "i64", "uint64_t": "u64", "uint16_t": "u16",
           "size_t": "usize", "double": "f64", "char": "c_char", "void": "c_void"}
RESERVED = {"type", "self", "fn", "in", "ref", "match", "move", "box", "use"}
# Constants travel in a field of this type; others are u32.
CONSTANT_TYPES = {"TROVE_LOG_": "i32", "TROVE_KV_AN": "u64", "TROVE_KV_ABSENT": "u64"}
TOKEN = re.compile(r'/\*.*?\*/|"[^"]*"|[A-Za-z_]\w*|0x[0-9a-fA-F]+u?|\d+u?|\S', re.S)


class Struct:
    def __init__(self, name, doc):
        self.name, self.doc, self.fields = name, doc, []  # fields: (name, type, doc) or (name, [union fields], doc)


class Header:
    """One header's declarations, in order."""

    def __init__(self, path):
        self.path = path
        self.items = []  # ("const", name, type, value, doc) ("alias", name, type, doc) ("opaque", name, doc) Struct
        text = path.read_text()
        text = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", text, flags=re.S)
        text = re.sub(r"\\\n", " ", text)
        kept = []
        for line in text.split("\n"):
            define = re.match(r"#define (TROVE_\w+)\s+(\"[^\"]*\"|0x[0-9a-fA-F]+u?|\d+u?)\s*(?:/\*\s*(.*?)\s*\*/)?$", line)
            if define:
                kept.append("@define %s %s %s" % (define[1], define[2], "/* %s */" % define[3] if define[3] else ""))
            elif not line.startswith("#"):
                kept.append(line)
        body = "\n".join(kept)
        found = list(TOKEN.finditer(body))
        self.tokens = [match[0] for match in found]
        # Whether a token is the first of its line.
        self.leads = [body.rfind("\n", 0, match.start()) + 1 == match.start()
                      or not body[body.rfind("\n", 0, match.start()) + 1:match.start()].strip() for match in found]
        self.index = 0
        self.doc = []
        self.alias = None
        # What stands at the top is about the whole header.
        self.peek()
        self.doc = self.doc[-1:] if len(self.doc) > 2 else []
        while self.peek() is not None:
            self.declaration()

    # Tokens. Comments before a token become its documentation.

    def peek(self):
        while self.index < len(self.tokens) and self.tokens[self.index].startswith("/*"):
            self.doc.append(clean(self.tokens[self.index]))
            self.index += 1
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def next(self, expected=None):
        token = self.peek()
        if token is None or expected is not None and token != expected:
            around = " ".join(self.tokens[max(0, self.index - 5):self.index + 5])
            sys.exit("%s: expected %s near: %s" % (self.path, expected or "more", around))
        self.index += 1
        return token

    def take_doc(self):
        doc, self.doc = "\n".join(self.doc), []
        return doc

    def trailing_doc(self):
        """A comment directly behind what was read."""
        here = self.index
        if here < len(self.tokens) and self.tokens[here].startswith("/*") and not self.leads[here]:
            self.index += 1
            return clean(self.tokens[here])
        return ""

    # Declarations.

    def declaration(self):
        token = self.next()
        if token == "@":
            self.next("define")
            name, value = self.next(), self.next()
            self.items.append(("const", name, constant_type(name), value, self.trailing_doc()))
            self.take_doc()
        elif token == "enum":
            self.enumeration()
        elif token == "typedef":
            self.typedef()
        elif token == "TROVE_EXPORT":  # the one function that a plugin exports itself
            while self.next() != ";":
                pass
            self.take_doc()
        else:
            sys.exit("%s: cannot read a declaration that begins with %s" % (self.path, token))

    def enumeration(self):
        self.take_doc()
        self.next("{")
        while self.peek() != "}":
            doc = self.take_doc()
            name = self.next()
            self.next("=")
            value = self.next()
            if self.tokens[self.index] == ",":
                self.next(",")
            doc = self.trailing_doc() or doc
            self.items.append(("const", name, self.alias or constant_type(name), value, doc))
        self.next("}")
        self.next(";")
        self.alias = None

    def typedef(self):
        doc = self.take_doc()
        token = self.next()
        if token == "struct":
            name = self.next()
            if self.peek() == "{":
                struct = Struct(name, doc)
                struct.fields = self.members()
                self.items.append(struct)
            else:
                self.items.append(("opaque", name, doc))
            self.next(name)
            self.next(";")
            return
        if token == "void" and self.peek() == "(":
            self.next("("), self.next("*")
            name = self.next()
            self.next(")")
            self.items.append(("alias", name, "Option<unsafe extern \"C\" fn%s>" % self.parameters(), doc))
            self.next(";")
            return
        name = self.next()
        self.next(";")
        self.items.append(("alias", name, rust_type(token), doc))
        self.alias = name

    def members(self):
        fields = []
        self.next("{")
        while self.peek() != "}":
            doc = self.take_doc()
            if self.peek() == "union":
                self.next()
                inner = self.members()
                name = self.next()
                self.next(";")
                fields.append((rust_name(name), inner, doc))
                continue
            words, stars = self.type_words()
            if self.peek() == "(":  # a function pointer
                self.next("("), self.next("*")
                name = self.next()
                self.next(")")
                parameters = self.parameters()
                result = "" if words == ["void"] and not stars else " -> " + spell(words, stars)
                kind = "Option<unsafe extern \"C\" fn%s%s>" % (parameters, result)
                self.next(";")
                fields.append((rust_name(name), kind, self.trailing_doc() or doc))
                continue
            names = [self.next()]
            while self.peek() == ",":
                self.next(",")
                names.append(self.next())
            self.next(";")
            doc = self.trailing_doc() or doc
            for name in names:
                fields.append((rust_name(name), spell(words, stars), doc))
                doc = ""
        self.next("}")
        self.take_doc()
        return fields

    def type_words(self):
        words, stars = [], 0
        while True:
            token = self.peek()
            if token == "const" or token == "struct":
                words.append(self.next()) if token == "const" else self.next()
            elif token == "*":
                self.next()
                stars += 1
            elif re.match(r"[A-Za-z_]", token) and not [w for w in words if w != "const"]:
                words.append(self.next())
            else:
                return words, stars

    def parameters(self):
        self.next("(")
        found = []
        while self.peek() != ")":
            words, stars = self.type_words()
            if words == ["void"] and not stars:
                break
            found.append("%s: %s" % (rust_name(self.next()), spell(words, stars)))
            if self.peek() == ",":
                self.next(",")
        self.next(")")
        return "(%s)" % ", ".join(found)


def clean(comment):
    text = comment[2:-2].strip()
    if text.startswith("SPDX"):
        return ""
    return "\n".join(re.sub(r"^ {0,3}\* ?", "", line).strip() if line.strip().startswith("*") else line.strip()
                     for line in text.split("\n"))


def constant_type(name):
    return next((kind for prefix, kind in CONSTANT_TYPES.items() if name.startswith(prefix)), "u32")


def rust_name(name):
    return name + "_" if name in RESERVED else name


def rust_type(word):
    return SCALARS.get(word, word)


def spell(words, stars):
    base = rust_type([w for w in words if w != "const"][0])
    for level in range(stars):
        base = ("*const " if "const" in words and level == 0 else "*mut ") + base
    return base


def documentation(text, indent=""):
    lines = [line for line in text.split("\n")]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return "".join("%s/// %s\n" % (indent, line) if line else "%s///\n" % indent for line in lines)


def empty(kind):
    if isinstance(kind, list):
        return None
    if kind.startswith("Option<") or kind == "trove_fn":
        return "None"
    if kind.startswith("*const "):
        return "core::ptr::null()"
    if kind.startswith("*mut "):
        return "core::ptr::null_mut()"
    if kind == "trove_str":
        return "trove_str { ptr: core::ptr::null(), len: 0 }"
    return "0"


def struct_text(struct):
    out = []
    for name, kind, _ in struct.fields:
        if isinstance(kind, list):
            out.append("#[repr(C)]\n#[derive(Clone, Copy)]\npub union %s_%s {\n" % (struct.name, name))
            for inner, inner_kind, doc in kind:
                out.append(documentation(doc, "    ") + "    pub %s: %s,\n" % (inner, inner_kind))
            out.append("}\n\n")
    out.append(documentation(struct.doc) + "#[repr(C)]\n#[derive(Clone, Copy)]\npub struct %s {\n" % struct.name)
    for name, kind, doc in struct.fields:
        spelled = "%s_%s" % (struct.name, name) if isinstance(kind, list) else kind
        out.append(documentation(doc, "    ") + "    pub %s: %s,\n" % (name, spelled))
    out.append("}\n\n")
    if struct.name.endswith("_1"):
        out.append("// A table is constant until the process ends.\nunsafe impl Sync for %s {}\n\n" % struct.name)
    if struct.fields[0][0] == "size":
        out.append("impl %s {\n    /// Its size, and nothing else: for `..%s::EMPTY`.\n    pub const EMPTY: Self = Self {\n"
                   "        size: size_of::<Self>() as u32,\n" % (struct.name, struct.name))
        for name, kind, _ in struct.fields[1:]:
            out.append("        %s: %s,\n" % (name, empty(kind)))
        out.append("    };\n}\n\n")
    return "".join(out)


def constant(item):
    _, name, kind, value, doc = item
    if value.startswith('"'):
        return documentation(doc) + "pub const %s: &CStr = c%s;\n" % (name, value)
    return documentation(doc) + "pub const %s: %s = %s;\n" % (name, kind, value.rstrip("u"))


def binding(headers):
    out = ["// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0\n"
           "// Made from the headers in include/ by scripts/rust_binding.py: change those, not this.\n"
           "// Include it in a module that allows non_camel_case_types; trove_plugin_kit.rs does.\n\n"
           "use core::ffi::{c_char, c_void, CStr};\n\n"]
    for header in headers:
        out.append("// ---- %s ----\n\n" % header.path.relative_to(INCLUDE))
        last = None
        for item in header.items:
            if isinstance(item, Struct):
                out.append(("\n" if last == "const" else "") + struct_text(item))
                last = "struct"
                continue
            if item[0] == "const":
                out.append(constant(item))
            elif item[0] == "alias":
                out.append(("\n" if last == "const" else "") + documentation(item[3])
                           + "pub type %s = %s;\n\n" % (item[1], item[2]))
            else:
                out.append(("\n" if last == "const" else "") + documentation(item[2])
                           + "#[repr(C)]\npub struct %s {\n    _opaque: [u8; 0],\n}\n\n" % item[1])
            last = item[0]
        if last == "const":
            out.append("\n")
    return "".join(out).rstrip("\n") + "\n"


def layouts(headers):
    """The same lines, printed by a C program and by a Rust program."""
    c = ["/* SPDX-License-Identifier: Apache-2.0 */\n#include <stdio.h>\n"]
    c += ['#include "%s"\n' % name for name in ORDER]
    c.append("#define SHOW(text, value) printf(\"%s %lld\\n\", text, (long long)(value))\nint main(void) {\n")
    r = ["// SPDX-License-Identifier: Apache-2.0\n#[allow(dead_code, non_camel_case_types)]\nmod abi {\n"
         "    include!(\"%s\");\n}\nuse abi::*;\nfn show(text: &str, value: i64) {\n"
         "    println!(\"{text} {value}\");\n}\nfn main() {\n" % TARGET]
    for header in headers:
        for item in header.items:
            if isinstance(item, Struct):
                c.append('  SHOW("%s", sizeof(%s));\n  SHOW("%s align", _Alignof(%s));\n' % ((item.name,) * 4))
                r.append('    show("%s", size_of::<%s>() as i64);\n    show("%s align", align_of::<%s>() as i64);\n'
                         % ((item.name,) * 4))
                for name, kind, _ in item.fields:
                    plain = name[:-1] if name.endswith("_") else name
                    c.append('  SHOW("%s.%s", offsetof(%s, %s));\n' % (item.name, plain, item.name, plain))
                    r.append('    show("%s.%s", core::mem::offset_of!(%s, %s) as i64);\n'
                             % (item.name, plain, item.name, name))
            elif item[0] == "const":
                if item[3].startswith('"'):
                    c.append('  printf("%s %%s\\n", %s);\n' % (item[1], item[1]))
                    r.append('    println!("%s {}", %s.to_str().unwrap());\n' % (item[1], item[1]))
                else:
                    c.append('  SHOW("%s", %s);\n' % (item[1], item[1]))
                    r.append('    show("%s", %s as i64);\n' % (item[1], item[1]))
    return "".join(c) + "  return 0;\n}\n", "".join(r) + "}\n"


def main(arguments):
    found = {str(path.relative_to(INCLUDE)) for path in INCLUDE.rglob("*.h")}
    if found != set(ORDER):
        sys.exit("rust_binding: list these headers in ORDER: %s" % ", ".join(sorted(found ^ set(ORDER))))
    headers = [Header(INCLUDE / name) for name in ORDER]
    if arguments[:1] == ["write"]:
        TARGET.write_text(binding(headers))
    elif arguments[:1] == ["check"]:
        if TARGET.read_text() != binding(headers):
            sys.exit("rust_binding: %s is not what the headers give; run 'python3 scripts/rust_binding.py write'"
                     % TARGET.relative_to(ROOT))
    elif arguments[:1] == ["layouts"] and len(arguments) == 2:
        c, r = layouts(headers)
        (pathlib.Path(arguments[1]) / "layouts.c").write_text(c)
        (pathlib.Path(arguments[1]) / "layouts.rs").write_text(r)
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
