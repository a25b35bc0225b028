/* SPDX-License-Identifier: Apache-2.0 */
/* The client library of MariaDB Connector/C. Only the datastore's plugin links it, so its licence (LGPL-2.1) stays there. */
#include <mysql.h>
