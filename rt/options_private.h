/* What kinds of settings there are: rt_field.type. */
#ifndef HEARKEN_RT_OPTIONS_PRIVATE_H
#define HEARKEN_RT_OPTIONS_PRIVATE_H

#include "options.h"

enum { T_U32, T_FLOAT, T_CHOICE, T_SET, T_TEXT, T_NAME, T_LIST };

#endif
