// SPDX-License-Identifier: Apache-2.0

import Conformance
import Glibc

// The child of the conformance kit's tests: runs one group of checks.
exit(ConformanceChild.main())
