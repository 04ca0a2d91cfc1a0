/*
 * Head pose from the 68 landmarks: the turn of a mean face in space that explains them best under scaled orthography.
 * It measures better than the pose network that comes with the models, and costs next to nothing (docs/models.md,
 * "Pose").
 */
#include <math.h>

#include "vision/pose.h"
#include "vision/vision.h"

#define POINTS     68
#define JAW_POINTS 17
#define JAW_WEIGHT 0.5f /* the outline is what the eye sees as edge: it slides over the face as the head turns */

/*
 * The mean face, in distances between the eyes' centres, symmetric, its weighted mean at 0: x to the picture's right, y
 * down, z away from the camera. Found from the landmarks of 3,807 faces by factorisation (Tomasi and Kanade 1992,
 * "Shape and motion from image streams under orthography"); docs/models.md says how its depth and its upright were
 * fixed.
 */
static const float mean_face[POINTS][3] = {
    {-1.167f, -0.579f, 1.076f},  {-1.158f, -0.272f, 1.029f},  {-1.129f, 0.034f, 1.002f},   {-1.075f, 0.335f, 0.969f},
    {-0.968f, 0.619f, 0.868f},   {-0.791f, 0.866f, 0.697f},   {-0.562f, 1.070f, 0.493f},   {-0.301f, 1.232f, 0.286f},
    {0.000f, 1.279f, 0.211f},    {0.301f, 1.232f, 0.286f},    {0.562f, 1.070f, 0.493f},    {0.791f, 0.866f, 0.697f},
    {0.968f, 0.619f, 0.868f},    {1.075f, 0.335f, 0.969f},    {1.129f, 0.034f, 1.002f},    {1.158f, -0.272f, 1.029f},
    {1.167f, -0.579f, 1.076f},   {-0.933f, -0.758f, 0.182f},  {-0.788f, -0.883f, 0.003f},  {-0.582f, -0.913f, -0.152f},
    {-0.371f, -0.876f, -0.271f}, {-0.171f, -0.796f, -0.339f}, {0.171f, -0.796f, -0.339f},  {0.371f, -0.876f, -0.271f},
    {0.582f, -0.913f, -0.152f},  {0.788f, -0.883f, 0.003f},   {0.933f, -0.758f, 0.182f},   {0.000f, -0.561f, -0.306f},
    {0.000f, -0.369f, -0.405f},  {0.000f, -0.181f, -0.518f},  {0.000f, 0.017f, -0.626f},   {-0.242f, 0.151f, -0.270f},
    {-0.125f, 0.191f, -0.332f},  {0.000f, 0.224f, -0.370f},   {0.125f, 0.191f, -0.332f},   {0.242f, 0.151f, -0.270f},
    {-0.696f, -0.535f, 0.097f},  {-0.571f, -0.590f, -0.011f}, {-0.425f, -0.589f, -0.039f}, {-0.296f, -0.507f, -0.012f},
    {-0.433f, -0.483f, -0.013f}, {-0.579f, -0.486f, 0.016f},  {0.296f, -0.507f, -0.012f},  {0.425f, -0.589f, -0.039f},
    {0.571f, -0.590f, -0.011f},  {0.696f, -0.535f, 0.097f},   {0.579f, -0.486f, 0.016f},   {0.433f, -0.483f, -0.013f},
    {-0.434f, 0.516f, 0.135f},   {-0.275f, 0.446f, -0.115f},  {-0.113f, 0.409f, -0.259f},  {0.000f, 0.439f, -0.275f},
    {0.113f, 0.409f, -0.259f},   {0.275f, 0.446f, -0.115f},   {0.434f, 0.516f, 0.135f},    {0.280f, 0.666f, -0.008f},
    {0.124f, 0.733f, -0.113f},   {0.000f, 0.746f, -0.131f},   {-0.124f, 0.733f, -0.113f},  {-0.280f, 0.666f, -0.008f},
    {-0.364f, 0.524f, 0.100f},   {-0.115f, 0.508f, -0.202f},  {0.000f, 0.520f, -0.226f},   {0.115f, 0.508f, -0.202f},
    {0.364f, 0.524f, 0.100f},    {0.117f, 0.584f, -0.148f},   {0.000f, 0.598f, -0.167f},   {-0.117f, 0.584f, -0.148f}};

/* 3 × 3 inverse by cofactors; the mean face is not flat, so it exists. */
static void invert(double m[3][3], double out[3][3])
{
    double det = 0;
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3;
            int b = (j + 2) % 3;
            int c = (i + 1) % 3;
            int d = (i + 2) % 3;
            out[i][j] = m[a][c] * m[b][d] - m[a][d] * m[b][c];
        }
    }
    for (int i = 0; i < 3; i++) {
        det += m[0][i] * out[i][0];
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            out[i][j] /= det;
        }
    }
}

/* The 2 × 3 matrix that maps the mean face onto the landmarks with the least weighted sum of squares. */
static void fit_affine(const float (*landmarks)[2], double out[2][3])
{
    double mean[2] = {0, 0};
    double total = 0;
    double shape[3][3] = {{0}};
    double mixed[2][3] = {{0}};
    double inverse[3][3];
    for (int i = 0; i < POINTS; i++) {
        double weight = i < JAW_POINTS ? (double)JAW_WEIGHT : 1.0;
        total += weight;
        mean[0] += weight * (double)landmarks[i][0];
        mean[1] += weight * (double)landmarks[i][1];
    }
    for (int i = 0; i < POINTS; i++) {
        double weight = i < JAW_POINTS ? (double)JAW_WEIGHT : 1.0;
        for (int k = 0; k < 3; k++) {
            double s = weight * (double)mean_face[i][k];
            mixed[0][k] += s * ((double)landmarks[i][0] - mean[0] / total);
            mixed[1][k] += s * ((double)landmarks[i][1] - mean[1] / total);
            for (int j = 0; j < 3; j++) {
                shape[k][j] += s * (double)mean_face[i][j];
            }
        }
    }
    invert(shape, inverse);
    for (int row = 0; row < 2; row++) {
        for (int k = 0; k < 3; k++) {
            out[row][k] = mixed[row][0] * inverse[0][k] + mixed[row][1] * inverse[1][k] + mixed[row][2] * inverse[2][k];
        }
    }
}

/*
 * The first two rows of the rotation nearest to m: (m mᵀ)^(-1/2) m, with the closed form of the root of a symmetric 2 ×
 * 2 matrix a: (a + sqrt(det a)) / sqrt(trace a + 2 sqrt(det a)). False when m has collapsed.
 */
static bool nearest_rotation(double m[2][3], double rows[2][3])
{
    double aa = 0;
    double ab = 0;
    double bb = 0;
    for (int k = 0; k < 3; k++) {
        aa += m[0][k] * m[0][k];
        ab += m[0][k] * m[1][k];
        bb += m[1][k] * m[1][k];
    }
    double det = aa * bb - ab * ab;
    if (!(det > 1e-12 * aa * bb) || !isfinite(det)) {
        return false;
    }
    double root_det = sqrt(det);
    double norm = sqrt(aa + bb + 2.0 * root_det);
    /* The root is [aa + d, ab; ab, bb + d] / norm, of determinant d: its inverse follows. */
    double scale = 1.0 / (norm * root_det);
    for (int k = 0; k < 3; k++) {
        rows[0][k] = scale * ((bb + root_det) * m[0][k] - ab * m[1][k]);
        rows[1][k] = scale * ((aa + root_det) * m[1][k] - ab * m[0][k]);
    }
    return true;
}

bool pose_of_landmarks(const float (*landmarks)[2], struct vision_pose *pose)
{
    const double degrees = 180.0 / M_PI;
    double affine[2][3];
    double r[2][3];
    fit_affine(landmarks, affine);
    if (!nearest_rotation(affine, r)) {
        return false;
    }
    double third[3];
    for (int k = 0; k < 3; k++) {
        int a = (k + 1) % 3;
        int b = (k + 2) % 3;
        third[k] = r[0][a] * r[1][b] - r[0][b] * r[1][a];
    }
    /* Roll outermost: turning the picture in its plane changes the roll alone. */
    pose->yaw = (float)(degrees * asin(fmax(fmin(third[0], 1.0), -1.0)));
    pose->pitch = (float)(-degrees * atan2(third[1], third[2]));
    pose->roll = (float)(degrees * atan2(r[1][0], r[0][0]));
    return true;
}

enum aibox_status vision_estimate_pose(struct vision_worker *worker, const struct image *image,
                                       const struct vision_face *face, struct vision_pose *pose,
                                       struct aibox_error *err)
{
    (void)worker;
    (void)image;
    if (!face->located) {
        return error_set(err, AIBOX_PARAM, "the face is not located yet");
    }
    if (!pose_of_landmarks((const float(*)[2])face->landmarks, pose)) {
        return error_set(err, AIBOX_LOW_QUALITY, "the face's landmarks have collapsed");
    }
    return AIBOX_OK;
}
