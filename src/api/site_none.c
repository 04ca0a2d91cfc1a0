/* In place of the packed console where none was built. */
#include "api/site.h"

const struct site_file site_files[1];
const size_t site_count = 0;
