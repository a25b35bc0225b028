// SPDX-License-Identifier: Apache-2.0

/// Messages sealed by the oslo.messaging peer's serializer, which is the reference service's scheme over Python's cryptography.
enum SealedRequests {
    static let heartbeat = #"""
        {"method": "heartbeat", "args": {"instance_id": "{\"entity\": \"AQIDBAUGBwgJCgsMDQ4PED0UFMg7/ipCeUqt\#
        fSUccNcmi47wobd5odWxH02K9+0IhAHF+xqpIf2nYRVQAYJhyQ==\", \"csz-instance-id\": \"6d1e5b6a-2f5c-4a0e-9a\#
        53-0d6c2c7d9f10\"}", "payload": "{\"entity\": \"AgMEBQYHCAkKCwwNDg8QEYyosQJXOjfT35gcqqF7/ImRxWid9T4I\#
        xNBiwD092a6q\", \"csz-instance-id\": \"6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f10\"}", "sent": "{\"entity\\#
        ": \"AwQFBgcICQoLDA0ODxAREvoVzWdr0uFyurJWN9fNPus=\", \"csz-instance-id\": \"6d1e5b6a-2f5c-4a0e-9a53-\#
        0d6c2c7d9f10\"}"}, "version": "1.0", "_unique_id": "5220cf5c2ff841788bd8b34b68c60a82", "_context_con\#
        text": "BAUGBwgJCgsMDQ4PEBESE5XIQzU8GVnLVG0mIxSpriyZaj3z3+ihxpF/vZxDNLKGvZUA2ChrQk6+hTj22SbV9JoSxolf\#
        4j/6bINl/SvsKXZJTXf9tAHV3Dxy/on7Nha2H6Fo69OYotxJCiJg46B+rnyyK1/fKfCItK6aRUaSMdgquYbinuAkvqILSInpJklC\#
        ", "_context_csz-instance-id": "6d1e5b6a-2f5c-4a0e-9a53-0d6c2c7d9f10"}
        """#

    static let listUsers = #"""
        {"method": "list_users", "args": {"limit": "BQYHCAkKCwwNDg8QERITFHOvxxpwkb4r3QS17jaUtPs=", "marker":\#
         "BgcICQoLDA0ODxAREhMUFbQRQz9ZIIka2xd5R7LQexE=", "include_marker": "BwgJCgsMDQ4PEBESExQVFpaJrPBJWI0L\#
        4bNslVExmEc="}, "version": "1.0", "_unique_id": "65705efb0e69473187efbcba758882b9", "_msg_id": "7e38\#
        003c28404a3cabd8e6c415f1d5a5", "_reply_q": "reply_cfa70701279f4e37859558eaf3166df5", "_timeout": nul\#
        l, "_context_context": "CAkKCwwNDg8QERITFBUWF9mAY7rONQjeZ83InCSE5o0fQ8TbtFQkHVQ6WCSn0Qn/s1yot+40VYuV\#
        PEiw8RAHcnk9LH/g5c+WpdzIPuN8uBa3xKudUL+MDbG7+xy3pqit1S8eF2zK2UytE8Pqc7A/xGg0OpcIp9Z0d8JnJmJnFhu/eq9C\#
        3MMlxlvzNWq5GbqV"}
        """#

    static let reply = #"""
        {"_msg_id": "573b", "_unique_id": "81b4", "ending": true, "failure": null, "result": "CQoLDA0ODxAREh\#
        MUFRYXGMwOJWp0Rik1VJF/gTFJ8xFmyT9BI4yLL5VOFqfFhu8r"}
        """#
}
