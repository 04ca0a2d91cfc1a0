/* What tests need, in the order that cmocka asks for. */
#ifndef AIBOX_TESTS_FLOW_CHECK_H
#define AIBOX_TESTS_FLOW_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
