/* Accounts by which capture cameras upload. Any thread. */
#ifndef AIBOX_FLOW_FTP_ACCOUNT_H
#define AIBOX_FLOW_FTP_ACCOUNT_H

#include "core/status.h"

#define FTP_USER_SIZE     16
#define FTP_PASSWORD_SIZE 24
#define FTP_HASH_SIZE     128

/* "cam" and ten random letters and digits. */
void ftp_user_make(char out[FTP_USER_SIZE]);
/* Twenty random characters (116 bits) that can't be taken for each other, fit for any camera's form. */
void ftp_password_make(char out[FTP_PASSWORD_SIZE]);
/* sha512-crypt ($6$) with a random salt, as crypt(3), PAM and FTP servers' user files read it. */
enum aibox_status ftp_password_hash(const char *password, char out[FTP_HASH_SIZE], struct aibox_error *err);

#endif
