/* SPDX-License-Identifier: Apache-2.0 */
/* The client library of MariaDB Connector/C. It is linked dynamically (LGPL-2.1). */
#include <mysql.h>
