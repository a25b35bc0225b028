# SPDX-License-Identifier: Apache-2.0
"""Calls about databases, users, access and root, checked in the engine itself."""
from scene import mentions, omits, secrets
from table import expect


def databases(s):
    return s.root("SHOW DATABASES").split()


def accounts(s):
    return s.root("SELECT CONCAT(User, '@', Host) FROM mysql.user").split()


def database_create(s, do):
    do(id=s.main, name="stock")
    expect("stock" in databases(s), "the engine has the database")


def database_list(s, do):
    if "stock" not in databases(s):
        s.world.member.must("POST", f"/instances/{s.main}/databases", {"databases": [{"name": "stock"}]})
    mentions(do(id=s.main), "shop", "stock")


def database_delete(s, do):
    if "stock" not in databases(s):
        s.world.member.must("POST", f"/instances/{s.main}/databases", {"databases": [{"name": "stock"}]})
    do(id=s.main, name="stock")
    expect("stock" not in databases(s), "the engine no longer has the database")


def user_create(s, do):
    do(id=s.main, name="guest.one", password="s3cret-Guest", database="shop")
    expect(s.world.logs_in(s.main, "guest.one", "s3cret-Guest", "shop"), "the user logs in and uses the database")


def guest(s):
    """The user that the client made, or one made for it."""
    if "guest.one@%" not in accounts(s):
        user = {"name": "guest.one", "password": "s3cret-Guest", "databases": [{"name": "shop"}]}
        s.world.member.must("POST", f"/instances/{s.main}/users", {"users": [user]})


def user_list(s, do):
    guest(s)
    mentions(do(id=s.main), "clerk", "guest.one")


def user_show(s, do):
    guest(s)
    mentions(do(id=s.main, name="guest.one"), "guest.one")


def user_show_access(s, do):
    guest(s)
    mentions(do(id=s.main, name="guest.one"), "shop")


def user_revoke(s, do):
    guest(s)
    do(id=s.main, name="guest.one", database="shop")
    expect(not s.world.logs_in(s.main, "guest.one", "s3cret-Guest", "shop"), "the user may not use the database any more")
    expect(s.world.logs_in(s.main, "guest.one", "s3cret-Guest"), "it still logs in")


def user_grant(s, do):
    guest(s)
    s.root("REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'guest.one'@'%'")
    do(id=s.main, name="guest.one", database="shop")
    expect(s.world.logs_in(s.main, "guest.one", "s3cret-Guest", "shop"), "the user may use the database")


def user_update(s, do):
    guest(s)
    do(id=s.main, name="guest.one", new_name="guest.two", password="s3cret-Other")
    expect(s.world.logs_in(s.main, "guest.two", "s3cret-Other"), "the user logs in with its new name and password")
    expect("guest.one@%" not in accounts(s), "the old name is gone")
    s.root("RENAME USER 'guest.two'@'%' TO 'guest.one'@'%'; SET PASSWORD FOR 'guest.one'@'%' = PASSWORD('s3cret-Guest')")


def user_passwords(s, do):
    guest(s)
    do(id=s.main, name="guest.one", password="s3cret-Third")
    expect(s.world.logs_in(s.main, "guest.one", "s3cret-Third"), "the user logs in with its new password")


def user_delete(s, do):
    guest(s)
    do(id=s.main, name="guest.one")
    expect("guest.one@%" not in accounts(s), "the engine no longer has the user")


def root_show(s, do):
    """As it is known of the instance, whichever it is."""
    enabled = s.world.member.get(f"/instances/{s.main}/root")["rootEnabled"]
    mentions(str(do(id=s.main)).lower(), str(enabled).lower())


def root_enable(s, do):
    output = do(id=s.main)
    found = [word for word in secrets(output) if s.world.logs_in(s.main, "root", word)]
    expect(found, "root logs in with the password that the client shows")
    s.world.roots[s.main] = found[0]


def root_password(s, do):
    do(id=s.main, password="s3cret-Root")
    expect(s.world.logs_in(s.main, "root", "s3cret-Root"), "root logs in with the password that was given")
    s.world.roots[s.main] = "s3cret-Root"


def root_disable(s, do):
    s.root("SELECT 1")
    password = s.world.roots.pop(s.main)
    do(id=s.main)
    expect(not s.world.logs_in(s.main, "root", password), "root does not log in any more")
    s.world.until("the API says so too", lambda: s.world.member.get(f"/instances/{s.main}/root")["rootEnabled"] is False, 10)


def paged_users(s, do):
    """A page has one user and the marker of the next."""
    guest(s)
    first = do(id=s.main, limit=1)
    mentions(first, "clerk")
    omits(first, "guest.one")
