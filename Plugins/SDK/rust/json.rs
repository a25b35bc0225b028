// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

use super::{Failure, Result, TROVE_INVALID_ARGUMENT};
use std::fmt;

/// One JSON value. An object keeps its members in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Json::Text(value.to_string())
    }
}
impl From<String> for Json {
    fn from(value: String) -> Self {
        Json::Text(value)
    }
}
impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Json::Int(value)
    }
}
impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}
impl<Item: Into<Json>> From<Vec<Item>> for Json {
    fn from(items: Vec<Item>) -> Self {
        Json::List(items.into_iter().map(Into::into).collect())
    }
}

/// `object([("a", 1.into()), ("b", "two".into())])`
pub fn object<const COUNT: usize>(members: [(&str, Json); COUNT]) -> Json {
    Json::Object(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

impl Json {
    /// A member that is there and not null.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => {
                members.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| **value != Json::Null)
            }
            _ => None,
        }
    }

    /// A member's text, or a failure that names it.
    pub fn text(&self, name: &str) -> Result<&str> {
        match self.get(name) {
            Some(Json::Text(value)) => Ok(value),
            _ => Err(Failure::new(TROVE_INVALID_ARGUMENT, format!("the member '{name}' must be text"))),
        }
    }

    /// A member's integer, or a failure that names it.
    pub fn int(&self, name: &str) -> Result<i64> {
        match self.get(name) {
            Some(Json::Int(value)) => Ok(*value),
            _ => Err(Failure::new(TROVE_INVALID_ARGUMENT, format!("the member '{name}' must be an integer"))),
        }
    }

    /// A member's list, or a failure that names it.
    pub fn list(&self, name: &str) -> Result<&[Json]> {
        match self.get(name) {
            Some(Json::List(items)) => Ok(items),
            _ => Err(Failure::new(TROVE_INVALID_ARGUMENT, format!("the member '{name}' must be a list"))),
        }
    }

    /// A member's boolean; `false` without one.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Json::Bool(true))
    }

    pub fn parse(text: &str) -> core::result::Result<Json, String> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        parser.space();
        if parser.at < text.len() {
            return Err(format!("more than one value at byte {}", parser.at));
        }
        Ok(value)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(value) => write!(out, "{value}"),
            Json::Int(value) => write!(out, "{value}"),
            Json::Float(value) if value.is_finite() => write!(out, "{value:?}"),
            Json::Float(_) => out.write_str("null"),
            Json::Text(value) => quote(value, out),
            Json::List(items) => {
                out.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    out.write_str(if index > 0 { "," } else { "" })?;
                    item.fmt(out)?;
                }
                out.write_str("]")
            }
            Json::Object(members) => {
                out.write_str("{")?;
                for (index, (name, value)) in members.iter().enumerate() {
                    out.write_str(if index > 0 { "," } else { "" })?;
                    quote(name, out)?;
                    out.write_str(":")?;
                    value.fmt(out)?;
                }
                out.write_str("}")
            }
        }
    }
}

fn quote(text: &str, out: &mut fmt::Formatter) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            '\0'..='\x1f' => write!(out, "\\u{:04x}", character as u32)?,
            _ => write!(out, "{character}")?,
        }
    }
    out.write_str("\"")
}

struct Parser<'text> {
    text: &'text str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn wrong<T>(&self, what: &str) -> core::result::Result<T, String> {
        Err(format!("{what} at byte {}", self.at))
    }

    fn take(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += found as usize;
        found
    }

    fn value(&mut self, depth: usize) -> core::result::Result<Json, String> {
        if depth > 128 {
            return self.wrong("too deep");
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => {
                self.at += 1;
                let mut items = Vec::new();
                if self.take(b']') {
                    return Ok(Json::List(items));
                }
                loop {
                    items.push(self.value(depth + 1)?);
                    if self.take(b']') {
                        return Ok(Json::List(items));
                    }
                    if !self.take(b',') {
                        return self.wrong("expected ',' or ']'");
                    }
                }
            }
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(_) => self.word(),
            None => self.wrong("unexpected end"),
        }
    }

    fn object(&mut self, depth: usize) -> core::result::Result<Json, String> {
        self.at += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.take(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.wrong("expected a key");
            }
            let name = self.string()?;
            if members.iter().any(|(key, _)| *key == name) {
                return self.wrong("duplicate key");
            }
            if !self.take(b':') {
                return self.wrong("expected ':'");
            }
            members.push((name, self.value(depth + 1)?));
            if self.take(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.take(b',') {
                return self.wrong("expected ',' or '}'");
            }
        }
    }

    fn word(&mut self) -> core::result::Result<Json, String> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| " \t\n\r,:{}[]\"".contains(c)).unwrap_or(rest.len());
        let word = &rest[..end];
        let value = match word {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ if !word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => return self.wrong("unexpected character"),
            _ => match (word.parse::<i64>(), word.parse::<f64>()) {
                (Ok(number), _) => Json::Int(number),
                (_, Ok(number)) if number.is_finite() => Json::Float(number),
                _ => return self.wrong("bad number"),
            },
        };
        self.at += end;
        Ok(value)
    }

    fn string(&mut self) -> core::result::Result<String, String> {
        self.at += 1;
        let mut result = String::new();
        loop {
            let rest = &self.text[self.at..];
            let Some(stop) = rest.find(['"', '\\']) else { return self.wrong("unterminated string") };
            if rest[..stop].bytes().any(|byte| byte < 0x20) {
                return self.wrong("control character in a string");
            }
            result.push_str(&rest[..stop]);
            self.at += stop + 1;
            if rest.as_bytes()[stop] == b'"' {
                return Ok(result);
            }
            let Some(kind) = self.peek() else { return self.wrong("unterminated string") };
            self.at += 1;
            result.push(match kind {
                b'"' | b'\\' | b'/' => kind as char,
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.scalar()?,
                _ => return self.wrong("unknown escape"),
            });
        }
    }

    fn scalar(&mut self) -> core::result::Result<char, String> {
        let first = self.hex()?;
        if (0xD800..0xDC00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.hex()?;
            if (0xDC00..0xE000).contains(&second) {
                let scalar = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return char::from_u32(scalar).ok_or_else(|| "bad escape".to_string());
            }
        }
        char::from_u32(first).ok_or_else(|| format!("lone surrogate at byte {}", self.at))
    }

    fn hex(&mut self) -> core::result::Result<u32, String> {
        let digits = self.text.get(self.at..self.at + 4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(digits) = digits else { return self.wrong("bad \\u escape") };
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|error| error.to_string())
    }
}
