/* Head pose from landmarks, apart for its tests. */
#ifndef AIBOX_VISION_POSE_H
#define AIBOX_VISION_POSE_H

#include <stdbool.h>

#include "vision/vision.h"

/* Pose that 68 landmarks show; false when they lie on a line. Pure, any thread. */
bool pose_of_landmarks(const float (*landmarks)[2], struct vision_pose *pose);

#endif
