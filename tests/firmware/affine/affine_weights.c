#include "affine.h"

AFFINE_WEIGHTS_ATTR const float affine_weights_scale[AFFINE_LENGTH] = {2, 2, 2, 2, 2};
